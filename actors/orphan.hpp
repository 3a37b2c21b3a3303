#pragma once

#include "actors/services.hpp"

#include <caf/actor_system.hpp>

#include <string>
#include <vector>

namespace troupe {

/// What is left of a container that cannot be taken up.
struct remains {
  std::string id{};
  std::vector<shim::process_key> processes{}; ///< That the shim has.
  bool has_directory = false;
  bool launched = false;   ///< So there may be cgroups, and hooks to run.
  msg::shared_plan plan{}; ///< Null: it cannot be read.
};

/// Spawns an ORPHAN: it kills the processes, has the shim forget them once they
/// are dead, tears down what the container's plan has made, removes its
/// directory, and ends.
process_owner_actor spawn_orphan(caf::actor_system& system,
                                 shared_services with, remains of);

} // namespace troupe
