#pragma once

#include "actors/interfaces.hpp"
#include "runtime/plan/host_facts.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns the SAMPLER of the containers that `supervisor` lists.
[[nodiscard]] sampler_actor spawn_sampler(caf::actor_system& system,
                                          plan::host_facts host,
                                          supervisor_actor supervisor);

} // namespace troupe
