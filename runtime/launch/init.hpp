#pragma once

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/host_trees.hpp"
#include "runtime/launch/launch.hpp"

namespace troupe::launch {

/// What init has from its launcher, by inheritance.
struct init_side {
  const plan::launch_plan& plan;
  const lines& with;
  int line; ///< Its end of the handshake.
  const cgroup::entrance& entrance;
  const host_trees& trees;
  int listener;         ///< Connected seccomp listener, -1: none.
  bool over_empty_root; ///< Nothing of the host's is mounted: no pivot.
};

/// The life of init from clone to execve.
[[noreturn]] void run_init(const init_side& init);

} // namespace troupe::launch
