#pragma once

#include "actors/cluster/basp_links.hpp"
#include "actors/cluster/node.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <memory>
#include <string>

namespace troupe::cluster {

/// What an actor system needs before it starts: message types, BASP and its
/// heartbeats. Nothing if there is to be no cluster.
void configure(caf::actor_system_config& config, const cluster_settings& from);

/// For programs that link troupe: waits until node `name` lives.
[[nodiscard]] result<node_actor> await_node(caf::scoped_actor& self,
                                            const cluster_actor& here,
                                            const std::string& name,
                                            caf::timespan patience);

/// This node's part of a cluster: endpoint, links and the CLUSTER.
class service {
public:
  /// Reads the certificates, listens, and spawns the CLUSTER: `origin`, with
  /// what is missing in it. Nobody is spoken to before `begin`.
  [[nodiscard]] static result<std::unique_ptr<service>>
  start(caf::actor_system& system, const cluster_settings& from,
        node_origin origin, basp_links::http http);

  [[nodiscard]] const cluster_actor& node() const noexcept {
    return node_;
  }
  [[nodiscard]] const std::string& name() const noexcept {
    return name_;
  }

  void begin();

  /// Reads the certificates again, for connections from now on.
  [[nodiscard]] outcome reload();

  /// Tells the others, and closes every link.
  void stop();

private:
  service(cluster_settings from, std::string name)
    : settings_(std::move(from)), name_(std::move(name)) {
  }

  cluster_settings settings_;
  std::string name_;
  std::shared_ptr<basp_links> links_;
  cluster_actor node_;
};

} // namespace troupe::cluster
