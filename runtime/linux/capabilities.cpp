#include "runtime/linux/capabilities.hpp"

#include <array>
#include <cerrno>
#include <linux/capability.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

using capability_data = std::array<__user_cap_data_struct, 2>;

constexpr bool has(std::uint64_t set, unsigned capability) {
  return (set >> capability & 1U) != 0;
}

/// The lower (index 0) or upper half of a set.
constexpr std::uint32_t half(std::uint64_t set, unsigned index) {
  return static_cast<std::uint32_t>(set >> (32U * index));
}

result<capability_data> current() {
  auto header = __user_cap_header_struct{_LINUX_CAPABILITY_VERSION_3, 0};
  auto data = capability_data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0)
    return fail_os(errno, "capget", "");
  return data;
}

outcome apply(const capability_data& data) {
  auto header = __user_cap_header_struct{_LINUX_CAPABILITY_VERSION_3, 0};
  if (::syscall(SYS_capset, &header, data.data()) != 0)
    return fail_os(errno, "capset", "");
  return {};
}

} // namespace

bool has_effective(unsigned capability) noexcept {
  auto header = __user_cap_header_struct{_LINUX_CAPABILITY_VERSION_3, 0};
  auto data = capability_data{};
  return ::syscall(SYS_capget, &header, data.data()) == 0
         && has(data[capability / 32].effective, capability % 32);
}

outcome keep_capabilities(bool keep) {
  if (::prctl(PR_SET_KEEPCAPS, keep ? 1UL : 0UL, 0, 0, 0) != 0)
    return fail_os(errno, "prctl", "PR_SET_KEEPCAPS");
  return {};
}

outcome limit_bounding(std::uint64_t keep) {
  for (auto capability = 0U; capability < 64; ++capability) {
    const auto there = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (there < 0) // EINVAL: one past the kernel's last capability
      return {};
    if (there == 1 && !has(keep, capability)
        && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      return fail_os(errno, "prctl",
                     "PR_CAPBSET_DROP " + std::to_string(capability));
  }
  return {};
}

outcome set_inheritable(std::uint64_t inheritable) {
  TROUPE_TRY(auto data, current());
  for (auto& x : data)
    x.effective = x.permitted;
  TROUPE_CHECK(apply(data));
  for (auto i = 0U; i < data.size(); ++i)
    data[i].inheritable = half(inheritable, i);
  return apply(data);
}

outcome set_effective(std::uint64_t effective) {
  TROUPE_TRY(auto data, current());
  for (auto i = 0U; i < data.size(); ++i)
    data[i].effective = data[i].permitted & half(effective, i);
  return apply(data);
}

outcome drop_capabilities(std::uint64_t effective, std::uint64_t permitted,
                          std::uint64_t inheritable) {
  auto data = capability_data{};
  for (auto i = 0U; i < data.size(); ++i)
    data[i] = {half(effective, i), half(permitted, i), half(inheritable, i)};
  return apply(data);
}

outcome set_ambient(std::uint64_t ambient) {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return fail_os(errno, "prctl", "PR_CAP_AMBIENT_CLEAR_ALL");
  for (auto capability = 0U; capability < 64; ++capability)
    if (has(ambient, capability)
        && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return fail_os(errno, "prctl",
                     "PR_CAP_AMBIENT_RAISE " + std::to_string(capability));
  return {};
}

} // namespace troupe::sys
