#pragma once

#include "config/base/result.hpp"

#include <string>
#include <sys/un.h>

namespace troupe::sys {

/// The address of the unix socket at `path`, unix(7): 1 to 107 bytes. Never an
/// abstract or autobound name, which has no permissions.
[[nodiscard]] result<sockaddr_un> unix_address(const std::string& path);

} // namespace troupe::sys
