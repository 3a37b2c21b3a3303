#pragma once

#include "config/base/result.hpp"

#include <string>

namespace troupe::oci_runtime {

/// Makes sure that this program runs from what nobody can write: what a
/// container can reach as /proc/PID/exe of its init must not be the file on the
/// host (CVE-2019-5736). That is a read-only view of it where we may mount one,
/// and a sealed copy in memory elsewhere. Returns if it does; else executes
/// that, with the same arguments, and returns only to say why it failed.
[[nodiscard]] outcome run_from_sealed_copy(char** argv);

/// Where this program's file is on the host, whatever it runs from now.
[[nodiscard]] std::string own_directory();

} // namespace troupe::oci_runtime
