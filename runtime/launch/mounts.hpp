#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <span>

namespace troupe::launch {

/// What a mount needs of the host; -1: nothing.
struct host_side {
  int tree = -1;  ///< The detached copy for a bind.
  int idmap = -1; ///< The user namespace of an idmapped file system.
  /// As plan.cgroup.dirs, or empty: see host_trees.
  std::span<const sys::unique_fd> cgroups;
};

/// Places one mount of the plan below the attached `root`, making its target if
/// it is missing; or changes the one that is there.
[[nodiscard]] outcome place_mount(const plan::mount& mount,
                                  const plan::cgroup& cgroup,
                                  const host_side& with, int root);

} // namespace troupe::launch
