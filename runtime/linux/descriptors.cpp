#include "runtime/linux/descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

namespace troupe::sys {

outcome close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  auto from = 3U;
  for (const auto fd : keep) {
    if (fd < static_cast<int>(from))
      continue;
    const auto kept = static_cast<unsigned>(fd);
    if (kept > from && ::close_range(from, kept - 1, 0) != 0)
      return fail_os(errno, "close_range", "");
    from = kept + 1;
  }
  if (::close_range(from, ~0U, 0) != 0)
    return fail_os(errno, "close_range", "");
  return {};
}

outcome close_all_on_exec(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC)
      != 0)
    return fail_os(errno, "close_range", "CLOSE_RANGE_CLOEXEC");
  return {};
}

std::vector<int> inherited_descriptors(int count) {
  std::vector<int> out;
  const auto end = std::min<std::int64_t>(std::int64_t{3} + count,
                                          ::sysconf(_SC_OPEN_MAX));
  for (auto fd = 3; fd < end; ++fd) {
    const auto flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0)
      out.push_back(fd);
  }
  return out;
}

} // namespace troupe::sys
