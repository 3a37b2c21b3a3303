#pragma once

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns an UPDATER, which changes limits once and ends.
[[nodiscard]] updater_actor spawn_updater(caf::actor_system& system,
                                          shared_services with);

} // namespace troupe
