#pragma once

#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <string>

namespace troupe {

struct exec_origin {
  std::string container;
  std::string id; ///< Of the session: 12 hexadecimal digits.
  /// Its container. Gets the session's record when it has ended; the session
  /// does not outlive it.
  process_owner_actor owner;
  plan::cgroup cgroup; ///< The container's.
  msg::create_exec request;
  msg::shared_exec_plan plan; ///< Null when adopted.
  bool has_record = false;    ///< Adopted from the shim after a restart.
  shim::record record;
};

/// Spawns an EXEC SESSION. A fresh one waits for its `create_exec`; an adopted
/// one takes up where the shim's record says it is.
[[nodiscard]] exec_session_actor spawn_exec_session(caf::actor_system& system,
                                                    shared_services with,
                                                    exec_origin origin);

} // namespace troupe
