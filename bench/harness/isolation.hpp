#pragma once

#include "config/base/result.hpp"

namespace troupe::bench {

/// Enters a mount namespace of our own, so that every mount that a peer forgets
/// ends with us; with `run_containerd`, /run/containerd is a fresh tmpfs there.
[[nodiscard]] outcome isolate_mounts(bool run_containerd);

} // namespace troupe::bench
