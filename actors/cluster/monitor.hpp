#pragma once

#include "actors/cluster/messages.hpp"

#include <caf/actor_system.hpp>

namespace troupe::cluster {

/// Spawns a MONITOR, which tells `to` once how container `id` has ended, on
/// whatever node it runs: its exit code and OOM flag; or that its node is lost.
/// At once, if it has ended. It ends with that, or with `to`.
void monitor_container(caf::actor_system& system, const std::string& id,
                       container_actor whom, container_listener_actor to);

} // namespace troupe::cluster
