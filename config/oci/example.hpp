#pragma once

#include "config/oci/spec.hpp"

namespace troupe::oci {

/// A first config.json, to be edited: a shell in ./rootfs with few rights,
/// equal in effect to what `runc spec` writes.
[[nodiscard]] spec example_spec();

/// The same for an ordinary user: in a user namespace in which they are root,
/// with the host's network and /sys, and without cgroups.
[[nodiscard]] spec rootless_example_spec(std::uint32_t uid, std::uint32_t gid);

} // namespace troupe::oci
