#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>

namespace troupe::launch {

/// The file that args[0] means: itself if it has a slash (relative to cwd),
/// else the first executable regular file of that name on the PATH of
/// `process.env`, as execvp(3). To be asked inside the container's root.
/// ENOENT: there is none; EACCES: there is only what cannot be executed.
[[nodiscard]] result<std::string> find_executable(const plan::process& process);

} // namespace troupe::launch
