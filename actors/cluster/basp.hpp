#pragma once

#include "actors/cluster/messages.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/actor_system.hpp>

#include <functional>

/// BASP, CAF 0.17's protocol between nodes, over sockets that we give to it
/// (caf-0.17.md, section 5). Whoever speaks it to us can do what we can.
namespace troupe::cluster {

/// Lets whoever is at the other end of `stream` find `node`.
void basp_serve(caf::actor_system& system, sys::unique_fd stream,
                node_actor node);

/// Finds the node at the other end of `stream`; `found` is called on any
/// thread.
void basp_connect(caf::actor_system& system, sys::unique_fd stream,
                  std::function<void(result<node_actor>)> found);

} // namespace troupe::cluster
