#pragma once

#include "actors/gateway/request.hpp"
#include "actors/gateway/session.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Requests that another node serves: `/v1/nodes/NODE/containers` is that
/// node's `/v1/containers`. Here, a GATEWAY SESSION sends the request to the
/// node; there, another one serves it as if the client were its own. What it
/// would tell the client's connection it tells the session here, which does it;
/// and `pulled` goes the other way, so that no more than one chunk is under way
/// to a client that reads slowly.
namespace troupe::gateway {

/// The two parts of a target that is another node's.
struct remote_place {
  std::string node;
  std::string target; ///< What it is there.
  /// Seconds within which it must begin to answer; 0: as long as it lives.
  std::uint32_t timeout = 0;
};

/// Nothing: the target is this node's. `node_timeout`, the last parameter, is
/// taken off it.
[[nodiscard]] result<std::optional<remote_place>>
remote_target(std::string_view target);

/// Whether there are other nodes.
[[nodiscard]] outcome check_cluster(const session& in);

/// Has another node serve the request, on the client's side.
outcome call_node(session& in, const request& x, const remote_place& at);

/// On the side of the node that serves: what its NODE does with a call.
using remote_service
  = std::function<void(const msg::remote_call&, const caf::strong_actor_ptr&,
                       const cluster_actor& here)>;

[[nodiscard]] remote_service serve_nodes(caf::actor_system& system,
                                         supervisor_actor supervisor,
                                         shared_services with);

} // namespace troupe::gateway
