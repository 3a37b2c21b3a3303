#pragma once

#include <string>

namespace troupe::sys {

/// The first executable `name` below a directory of our own PATH; "" if there
/// is none. Where a container's program lies: launch/executable.hpp.
[[nodiscard]] std::string find_on_path(const std::string& name);

} // namespace troupe::sys
