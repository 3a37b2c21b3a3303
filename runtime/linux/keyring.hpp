#pragma once

#include "config/base/result.hpp"

#include <string>

/// keyctl(2), session-keyring(7).
namespace troupe::sys {

/// Leaves the caller's session keyring for the one called `name` of this user
/// namespace, which is made where there is none; processes of the same user
/// find it by that name later on. Without keys in the kernel (ENOSYS) there is
/// nothing to leave, and that is a success. EDQUOT is not: going on would share
/// the caller's keys.
[[nodiscard]] outcome join_session_keyring(const std::string& name);

} // namespace troupe::sys
