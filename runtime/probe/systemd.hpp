#pragma once

#include "config/base/result.hpp"

#include <string>

namespace troupe::sys {

/// The troupe-scope program in `directory`, for host_facts::scope_helper. Fails
/// where it is missing, or where systemd is not the init, sd_booted(3).
[[nodiscard]] result<std::string>
find_scope_helper(const std::string& directory);

} // namespace troupe::sys
