#pragma once

#include "config/oci/spec.hpp"
#include "runtime/oci/operations.hpp"

namespace troupe::oci_runtime {

/// The process that `options` ask for in container `id`: --process's document,
/// or the container's own with what the flags say. Validated.
[[nodiscard]] result<oci::process> exec_process(const store::directory& in,
                                                const std::string& id,
                                                const exec_options& options);

} // namespace troupe::oci_runtime
