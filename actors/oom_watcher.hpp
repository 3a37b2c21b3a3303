#pragma once

#include "actors/interfaces.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/poller.hpp"

#include <caf/actor_system.hpp>

#include <memory>

namespace troupe {

/// Spawns the OOM WATCHER of one running container, which tells `container` of
/// every rise of the counter. Fails where the host has no memory controller.
/// The container ends it with an exit message.
[[nodiscard]] result<oom_watcher_actor>
spawn_oom_watcher(caf::actor_system& system, sys::poller& poller,
                  std::unique_ptr<cgroup::control> control,
                  container_actor container);

} // namespace troupe
