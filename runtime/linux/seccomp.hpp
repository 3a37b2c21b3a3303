#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <linux/filter.h>
#include <span>
#include <vector>

/// seccomp(2) with a filter that was compiled before.
namespace troupe::sys {

/// Sets PR_SET_NO_NEW_PRIVS, which cannot be taken back.
[[nodiscard]] outcome set_no_new_privileges();

/// A compiled program as the kernel takes it. Copied: bytes from a decoded plan
/// need not be aligned for instructions.
[[nodiscard]] result<std::vector<sock_filter>>
filter_code(std::span<const std::uint8_t> program);

/// Installs `code` with SECCOMP_FILTER_FLAG_* `flags` on this thread. Needs
/// no_new_privs or CAP_SYS_ADMIN in the user namespace. Returns the
/// notification descriptor with SECCOMP_FILTER_FLAG_NEW_LISTENER, else -1;
/// after success it has made no further system call.
[[nodiscard]] result<int> load_filter(std::span<const sock_filter> code,
                                      std::uint32_t flags);

} // namespace troupe::sys
