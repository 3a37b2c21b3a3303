#pragma once

#include "actors/cluster/endpoint.hpp"
#include "actors/fwd.hpp"
#include "actors/interfaces.hpp"
#include "actors/messages.hpp"

#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::msg {

// -- between nodes ------------------------------------------------------------

/// What a node says of itself. Of two, the one of the later incarnation counts,
/// and of one incarnation the one of the later revision.
struct member {
  std::string name;
  std::string address;
  std::string version;
  std::uint64_t incarnation = 0; ///< When it was started, ns since 1970.
  std::uint32_t revision = 0;    ///< Counts what it has changed since.
  bool left = false;
  caf::timespan left_for{0}; ///< As who tells it knows.
  bool removed = false;      ///< It has left, and is not to be listed.
  bool draining = false;     ///< It takes no new containers.
  std::vector<std::string> label_keys;
  std::vector<std::string> label_values;
  TROUPE_MESSAGE(member, x.name, x.address, x.version, x.incarnation,
                 x.revision, x.left, x.left_for, x.removed, x.draining,
                 x.label_keys, x.label_values)
};

/// All that a node knows of.
struct members {
  std::vector<member> all;
  TROUPE_MESSAGE(members, x.all)
};

/// The first message over a new link; answered with `members`, of which there
/// is one: who answers. `token`: of the greeting that it was answered with.
struct join {
  std::string token;
  member me;
  TROUPE_MESSAGE(join, x.token, x.me)
};

/// How much a node has to do.
struct node_load {
  std::int64_t memory_total = 0;     ///< Bytes.
  std::int64_t memory_available = 0; ///< Bytes.
  std::uint32_t cpus = 0;
  std::uint32_t busy_permille = 0; ///< Of all CPUs, since the last heartbeat.
  std::uint32_t running = 0;       ///< Containers.
  TROUPE_MESSAGE(node_load, x.memory_total, x.memory_available, x.cpus,
                 x.busy_permille, x.running)
};

/// Each `heartbeat_ms`, to every other node.
struct node_heartbeat {
  std::string name;
  std::uint64_t incarnation = 0;
  std::uint64_t digest = 0; ///< Of `members`: whether there is news.
  node_load has;
  TROUPE_MESSAGE(node_heartbeat, x.name, x.incarnation, x.digest, x.has)
};

/// A request of the HTTP API for another node. It answers the sender by
/// `remote_response`, `remote_upgrade`, or `remote_stream`, chunks and
/// `remote_end`.
struct remote_call {
  std::string method;
  std::string target;
  std::string body;
  bool wants_stream = false;
  std::string websocket_key;
  bool observing = false; ///< gateway::visitor
  TROUPE_MESSAGE(remote_call, x.method, x.target, x.body, x.wants_stream,
                 x.websocket_key, x.observing)
};

struct remote_response {
  std::uint32_t status = 200;
  std::string body;
  std::string content_type;
  std::string allow;
  bool offers_stream = false;
  TROUPE_MESSAGE(remote_response, x.status, x.body, x.content_type, x.allow,
                 x.offers_stream)
};

struct remote_stream {
  std::string content_type;
  TROUPE_MESSAGE(remote_stream, x.content_type)
};

/// Only after a `remote_pull`, one for each.
struct remote_chunk {
  std::string data;
  TROUPE_MESSAGE(remote_chunk, x.data)
};

/// The client's connection takes another chunk.
struct remote_pull {
  TROUPE_MESSAGE(remote_pull)
};

struct remote_end {
  bool cut = false; ///< Not the whole of it.
  TROUPE_MESSAGE(remote_end, x.cut)
};

/// The sender is a PIPE, from where the process is that the client has asked
/// for.
struct remote_upgrade {
  TROUPE_MESSAGE(remote_upgrade)
};

struct pipe_data {
  std::string bytes;
  TROUPE_MESSAGE(pipe_data, x.bytes)
};

/// The sender has room for so many bytes more.
struct pipe_credit {
  std::int64_t bytes = 0;
  TROUPE_MESSAGE(pipe_credit, x.bytes)
};

/// The sender sends no more.
struct pipe_end {
  TROUPE_MESSAGE(pipe_end)
};

/// Asks a NODE for what programs can speak to (docs/cluster.md).
struct describe_node {
  TROUPE_MESSAGE(describe_node)
};

// -- within one ---------------------------------------------------------------

enum class node_state : std::uint8_t { alive, suspect, down, left };

[[nodiscard]] constexpr std::string_view to_string(node_state x) noexcept {
  constexpr std::array<std::string_view, 4> names{"alive", "suspect", "down",
                                                  "left"};
  return names.at(static_cast<std::size_t>(x));
}

/// A node as this one sees it.
struct node_view {
  member is;
  node_state state = node_state::alive;
  caf::timespan in_state{0}; ///< For so long.
  std::string problem;       ///< Why it cannot be connected to.
  bool self = false;
  node_load has;
};

/// From a MONITOR, once: how a container has ended, wherever it ran.
struct container_down {
  std::string id;
  std::int32_t exit_code = 0; ///< The shell's; of a lost one: nobody knows.
  std::int32_t exit_signal = 0;
  bool oom_killed = false;
  bool lost = false; ///< Its node, or the link to it, is: it may run on.
};

struct list_nodes {};

struct nodes {
  std::vector<node_view> all; ///< By name.
};

/// Whether this node takes new containers.
struct drain {
  bool begins = true;
};

/// Chooses a node for a new container.
struct place {
  std::vector<std::string> label_keys; ///< It must have all of these.
  std::vector<std::string> label_values;
  std::string strategy = "spread"; ///< Or binpack.
  std::int64_t memory = 0;         ///< Bytes that must be available.
};

struct placed {
  std::string node;
  std::string why; ///< For people.
};

struct find_node {
  std::string name;
};

/// The node is gone for good: no node lists or dials it any more. Should it
/// live after all, it comes back.
struct remove_node {
  std::string name;
};

/// From the endpoint; see cluster::endpoint_user.
struct link_asked {
  cluster::link_id link = 0;
  cluster::greeting by;
};

struct link_made {
  cluster::link_id link = 0;
  cluster::greeting to;
  shared_fd stream;
  bool dialed = false;
};

struct link_failed {
  cluster::link_id link = 0;
  std::string by;
  failure why;
};

struct link_ended {
  cluster::link_id link = 0;
  std::string why;
};

} // namespace troupe::msg

namespace troupe {

namespace msg {

struct node_handles {
  std::string name;
  supervisor_actor supervisor;
  template <class Inspector>
  friend auto inspect(Inspector& f, node_handles& x) {
    return f(caf::meta::type_name("node_handles"), x.name, x.supervisor);
  }
};

} // namespace msg

/// NODE, as another node sees it: the only actor that is published.
using node_actor = protocol<
  // Begins to be a peer.
  caf::replies_to<msg::join>::with<msg::members>,
  // It lives.
  caf::reacts_to<msg::node_heartbeat>,
  // There is news of one.
  caf::reacts_to<msg::member>,
  // Tells what there is to know, and hears the same.
  caf::replies_to<msg::members>::with<msg::members>,
  // Its SUPERVISOR, for programs.
  caf::replies_to<msg::describe_node>::with<msg::node_handles>,
  // Serves a request of the HTTP API, for the sender.
  caf::reacts_to<msg::remote_call>>::actor;

/// REMOTE CALLER: has sent a `remote_call` for a client.
using remote_caller_actor
  = protocol<caf::reacts_to<msg::remote_response>,
             caf::reacts_to<msg::remote_stream>,
             caf::reacts_to<msg::remote_chunk>, caf::reacts_to<msg::remote_end>,
             caf::reacts_to<msg::remote_upgrade>>::actor;

/// REMOTE SESSION: serves one.
using remote_session_actor = protocol<caf::reacts_to<msg::remote_pull>>::actor;

/// PIPE: one end of a byte stream between two nodes.
using pipe_actor
  = protocol<caf::reacts_to<msg::pipe_data>, caf::reacts_to<msg::pipe_credit>,
             caf::reacts_to<msg::pipe_end>>::actor;

/// CONTAINER LISTENER: has somebody watch a container.
using container_listener_actor
  = protocol<caf::reacts_to<msg::container_down>>::actor;

namespace msg {

struct node_found {
  node_actor node;
  bool self = false; ///< It is this one.
};

/// The peer's NODE at the other end of a link of ours.
struct link_speaks {
  cluster::link_id link = 0;
  node_actor node;   ///< Null: it could not be reached.
  std::string token; ///< Of its greeting.
  std::string problem;
};

} // namespace msg

/// CLUSTER: the NODE of this host, as the host itself sees it: knows every
/// other node, and whether it lives.
using cluster_actor = protocol<
  // Every node.
  caf::replies_to<msg::list_nodes>::with<msg::nodes>,
  // A node that lives.
  caf::replies_to<msg::find_node>::with<msg::node_found>,
  // Where a new container should run.
  caf::replies_to<msg::place>::with<msg::placed>,
  // Takes no new containers, or takes them again.
  caf::replies_to<msg::drain>::with<msg::done>,
  // Has all forget a node that is down or has left.
  caf::replies_to<msg::remove_node>::with<msg::done>,
  // Links come and go.
  caf::reacts_to<msg::link_asked>, caf::reacts_to<msg::link_made>,
  caf::reacts_to<msg::link_speaks>, caf::reacts_to<msg::link_failed>,
  caf::reacts_to<msg::link_ended>,
  // INTERNAL: time for a heartbeat.
  caf::reacts_to<msg::deadline>>::plus<node_actor>::actor;

} // namespace troupe

// As in interfaces.hpp: first what crosses the wire.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_cluster, caf::id_block::troupe_local::end)

  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::member))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::members))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::join))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::node_load))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::node_heartbeat))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_call))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_response))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_stream))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_chunk))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_pull))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_end))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::remote_upgrade))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::pipe_data))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::pipe_credit))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::pipe_end))
  CAF_ADD_TYPE_ID(troupe_cluster, (troupe::msg::describe_node))

CAF_END_TYPE_ID_BLOCK(troupe_cluster)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_cluster_handles,
                        caf::id_block::troupe_cluster::end)

  CAF_ADD_TYPE_ID(troupe_cluster_handles, (troupe::msg::node_handles))

CAF_END_TYPE_ID_BLOCK(troupe_cluster_handles)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_cluster_local,
                        caf::id_block::troupe_cluster_handles::end)

  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::node_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::cluster_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::remote_caller_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::remote_session_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::pipe_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::container_listener_actor))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::container_down))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::list_nodes))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::nodes))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::drain))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::place))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::placed))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::find_node))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::remove_node))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::node_found))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::link_asked))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::link_made))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::link_speaks))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::link_failed))
  CAF_ADD_TYPE_ID(troupe_cluster_local, (troupe::msg::link_ended))

CAF_END_TYPE_ID_BLOCK(troupe_cluster_local)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::container_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::list_nodes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::nodes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::drain)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::place)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::placed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::find_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::remove_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::node_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::link_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::link_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::link_speaks)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::link_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::link_ended)
