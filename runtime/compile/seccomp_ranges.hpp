#pragma once

#include "runtime/plan/launch_plan.hpp"

namespace troupe::plan {

/// The same seccomp filter, decided by ranges of system call numbers.
///
/// A profile treats long runs of numbers alike, and libseccomp tests each one.
/// The kernel converts and compiles a filter anew for each process that loads
/// it, in time that goes by its length: with docker's profile that was a tenth
/// of a start. What asks for arguments is kept as libseccomp wrote it.
///
/// Returns `program` itself if that is not longer, or if it does anything that
/// libseccomp does not do.
[[nodiscard]] bytes in_ranges(const bytes& program);

} // namespace troupe::plan
