#pragma once

#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <string>

namespace troupe {

/// What a container actor starts from.
struct container_origin {
  std::string id;
  supervisor_actor supervisor; ///< Gets every `container_changed`.
  /// Set when the container is adopted from disk after a restart.
  bool adopted = false;
  store::state state;
  msg::shared_plan plan;
  bool told_started = false; ///< The event log has its start.
  /// The shim's record of its init, if the shim still has one.
  bool has_record = false;
  shim::record record;
  /// The shim's records of its exec sessions.
  std::vector<shim::record> execs;
};

/// What the supervisor tells an adopted container when all of them are back:
/// let its memory be watched. Until then others need the processors more.
[[nodiscard]] msg::deadline watch_begins();

/// Spawns a CONTAINER. A fresh one waits for its `create_container`; an adopted
/// one takes up where the disk and the shim say it is, and appends every event
/// that its state implies and that may be missing (they are written once, see
/// msg::event::once).
[[nodiscard]] container_actor spawn_container(caf::actor_system& system,
                                              shared_services with,
                                              container_origin origin);

} // namespace troupe
