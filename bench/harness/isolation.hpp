#pragma once

#include "config/base/result.hpp"

#include <string>

namespace troupe::bench {

/// Enters a mount namespace of our own, so that every mount that a peer forgets
/// ends with us; with `run_containerd`, /run/containerd is a fresh tmpfs there.
[[nodiscard]] outcome isolate_mounts(bool run_containerd);

/// A tmpfs on a new directory: where a host with an init system has /run, which
/// is where every runtime keeps what it knows of its containers.
[[nodiscard]] outcome mount_runtime_files(const std::string& path);

} // namespace troupe::bench
