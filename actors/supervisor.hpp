#pragma once

#include "actors/services.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns the SUPERVISOR. It asks the SHIM LINK for what there is, adopts it
/// together with what is on disk, and answers requests from then on (requests
/// before that wait). Ends when the shim link ends, or after `shut_down`.
[[nodiscard]] supervisor_actor spawn_supervisor(caf::actor_system& system,
                                                shared_services with);

} // namespace troupe
