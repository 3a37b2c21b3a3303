#pragma once

#include "config/base/result.hpp"

namespace troupe::oci_runtime {

/// Makes sure that this program runs from a sealed copy of itself: what a
/// container can reach as /proc/PID/exe of its init must not be the file on the
/// host (CVE-2019-5736). Returns if it does; else executes the copy, with the
/// same arguments, and returns only to say why that failed.
[[nodiscard]] outcome run_from_sealed_copy(char** argv);

} // namespace troupe::oci_runtime
