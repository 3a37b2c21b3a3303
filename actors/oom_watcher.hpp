#pragma once

#include "actors/interfaces.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/file_watches.hpp"
#include "runtime/linux/poller.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <memory>

namespace troupe {

/// What tells of changes: descriptors, of which v1 needs one for each cgroup,
/// and files, of which one descriptor watches all.
struct oom_sources {
  sys::poller& poller;
  sys::file_watches* files = nullptr; ///< Null in tests of v1.
};

/// Spawns the OOM WATCHER of one running container, which tells `container` of
/// every rise of the counter above `known`. Fails where the host has no memory
/// controller. The container ends it with an exit message.
[[nodiscard]] result<oom_watcher_actor>
spawn_oom_watcher(caf::actor_system& system, oom_sources from,
                  std::unique_ptr<cgroup::control> control,
                  container_actor container, std::int64_t known);

} // namespace troupe
