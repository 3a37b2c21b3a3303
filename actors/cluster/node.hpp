#pragma once

#include "actors/cluster/links.hpp"
#include "config/cluster_settings.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>

#include <functional>
#include <memory>
#include <string>

namespace troupe::cluster {

/// What a NODE stands on.
struct node_origin {
  std::string name;
  std::uint64_t incarnation = 0;
  cluster_settings settings;
  std::shared_ptr<cluster::links> links;
  /// Serves another node's request, for its sender.
  std::function<void(const msg::remote_call&, const caf::strong_actor_ptr&,
                     const cluster_actor& here)>
    serve;
  supervisor_actor supervisor{};      ///< Null in a simulation.
  std::function<void(bool)> drains{}; ///< Told when new containers stop.
  bool draining = false;              ///< From the start.
};

/// Spawns the CLUSTER: joins, and keeps the links to all others.
cluster_actor spawn_node(caf::actor_system& system, node_origin origin);

} // namespace troupe::cluster
