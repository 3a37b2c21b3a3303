#pragma once

#include "actors/interfaces.hpp"
#include "runtime/plan/host_facts.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns the PLANNER, detached: reads bundles, resolves user names against
/// the rootfs (by openat2, never following it out), parses, applies options,
/// validates, and compiles.
[[nodiscard]] planner_actor spawn_planner(caf::actor_system& system,
                                          plan::host_facts host);

} // namespace troupe
