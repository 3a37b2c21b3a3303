#pragma once

#include "runtime/launch/host_trees.hpp"

namespace troupe::launch {

/// Makes the plan's devices and symlinks below `root`, with their exact modes
/// (the umask is 0) and owners, and checks each node by its inode. A node that
/// `trees` has is the host's, bound.
[[nodiscard]] outcome fill_dev(const plan::rootfs& rootfs,
                               const host_trees& trees, int root, progress& at);

} // namespace troupe::launch
