#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

namespace troupe::launch {

/// Places one mount of the plan below the attached `root`, making its target if
/// it is missing. `tree`: the detached copy for a bind, else unused.
[[nodiscard]] outcome place_mount(const plan::mount& mount,
                                  const plan::cgroup& cgroup, int tree,
                                  int root);

} // namespace troupe::launch
