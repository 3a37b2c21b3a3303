#pragma once

#include "runtime/launch/host_trees.hpp"

/// The container's file system, as init builds it.
namespace troupe::launch {

/// Attaches the root and every mount below it, in the plan's order, and fills
/// /dev. Returns the root directory. Without a mount namespace of its own: only
/// opens the root.
[[nodiscard]] result<sys::unique_fd> build_root(const plan::launch_plan& plan,
                                                const host_trees& trees,
                                                progress& at);

/// Makes `root` the process's root: pivot_root; or chroot without a mount
/// namespace, in a joined one, for `no_pivot`, and where there is nothing below
/// it that a way out of a chroot could lead to.
[[nodiscard]] outcome enter_root(const plan::launch_plan& plan, int root,
                                 bool over_empty_root, progress& at);

/// After `enter_root`: hides masked paths, makes read-only what shall be, and
/// gives the root its propagation.
[[nodiscard]] outcome guard_root(const plan::launch_plan& plan, int root,
                                 progress& at);

} // namespace troupe::launch
