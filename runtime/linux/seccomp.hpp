#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <span>

/// seccomp(2) with a filter that was compiled before.
namespace troupe::sys {

/// Sets PR_SET_NO_NEW_PRIVS, which cannot be taken back.
[[nodiscard]] outcome set_no_new_privileges();

/// Installs `program`, a `struct sock_filter[]`, with SECCOMP_FILTER_FLAG_*
/// `flags`. Needs no_new_privs or CAP_SYS_ADMIN in the user namespace.
[[nodiscard]] outcome load_filter(std::span<const std::uint8_t> program,
                                  std::uint32_t flags);

} // namespace troupe::sys
