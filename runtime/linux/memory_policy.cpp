#include "runtime/linux/memory_policy.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace troupe::sys {

bool has_memory_policies() noexcept {
  return ::syscall(SYS_get_mempolicy, nullptr, nullptr, 0, nullptr, 0) == 0
         || errno != ENOSYS;
}

outcome set_memory_policy(std::uint32_t mode,
                          std::span<const std::uint32_t> nodes) {
  constexpr auto word_bits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> mask;
  if (!nodes.empty())
    mask.resize(std::ranges::max(nodes) / word_bits + 1);
  for (const auto node : nodes)
    mask[node / word_bits] |= 1UL << node % word_bits;
  // The kernel reads one bit less than it is told.
  const auto bits = mask.empty() ? 0 : mask.size() * word_bits + 1;
  if (::syscall(SYS_set_mempolicy, mode, mask.empty() ? nullptr : mask.data(),
                bits)
      != 0)
    return fail_os(errno, "set_mempolicy", "");
  return {};
}

} // namespace troupe::sys
