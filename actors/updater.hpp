#pragma once

#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns an UPDATER, which changes limits once and ends; on a thread of its
/// own if it `may_wait` for the kernel.
[[nodiscard]] updater_actor spawn_updater(caf::actor_system& system,
                                          shared_services with, bool may_wait);

} // namespace troupe
