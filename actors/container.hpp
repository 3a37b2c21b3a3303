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
  /// The shim's record of its init, if the shim still has one.
  bool has_record = false;
  shim::record record;
  /// The shim's records of its exec sessions.
  std::vector<shim::record> execs;
};

/// Spawns a CONTAINER. A fresh one waits for its `create_container`; an adopted
/// one takes up where the disk and the shim say it is, and appends again every
/// event that its state implies (they are written once, see msg::event::once).
[[nodiscard]] container_actor spawn_container(caf::actor_system& system,
                                              shared_services with,
                                              container_origin origin);

} // namespace troupe
