#pragma once

#include "config/base/failure.hpp"
#include "runtime/launch/report.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>

namespace troupe::oci_runtime {

/// A failed launch or start in the words that podman and containerd look for:
/// `unable to start container process: exec: "top": executable file not found
/// in $PATH`. `plan` may be null for an exec session.
[[nodiscard]] failure to_failure(const launch::report& from,
                                 const plan::process& process,
                                 const plan::launch_plan* plan);

} // namespace troupe::oci_runtime
