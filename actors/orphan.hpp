#pragma once

#include "actors/services.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns an ORPHAN: it kills a process of the shim's that belongs to no
/// container on disk, has the shim forget it once it is dead, and ends.
process_owner_actor spawn_orphan(caf::actor_system& system,
                                 shared_services with,
                                 const shim::record& process);

} // namespace troupe
