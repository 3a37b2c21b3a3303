#pragma once

#include "config/oci/spec.hpp"

#include <string>
#include <vector>

namespace troupe {

/// The seccomp profile of containers without a profile of their own: what
/// ordinary programs need is allowed, all else fails with EPERM. `capabilities`
/// (`CAP_...`, the bounding set) open the calls that are theirs to make.
/// Policy: docker's documented default profile, for kernels from 4.8.
[[nodiscard]] oci::seccomp
default_seccomp(const std::vector<std::string>& capabilities);

} // namespace troupe
