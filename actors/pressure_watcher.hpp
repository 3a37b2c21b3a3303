#pragma once

#include "actors/interfaces.hpp"
#include "runtime/linux/poller.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns the PRESSURE WATCHER of one running container, which tells
/// `container` each time that one of the triggers of `in` fires. The container
/// ends it with an exit message.
[[nodiscard]] result<pressure_watcher_actor>
spawn_pressure_watcher(caf::actor_system& system, sys::poller& poller,
                       const plan::cgroup& in, container_actor container);

} // namespace troupe
