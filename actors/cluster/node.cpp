#include "actors/cluster/node.hpp"

#include "actors/cluster/node_state.hpp"
#include "actors/cluster/placement.hpp"
#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "config/base/quote.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace troupe::cluster {

using msg::node_state;

node_actor_state::node_actor_state(pointer me) : self(me), due(me) {
}

void node_actor_state::begin(node_origin origin) {
  from = std::move(origin);
  // Others differ by name, so that not all do the same at once; simulations are
  // repeatable.
  chance.seed(static_cast<std::minstd_rand::result_type>(
    std::hash<std::string>{}(from.name) ^ from.incarnation));
  auto me = msg::member{};
  me.name = from.name;
  me.address = from.settings.address.empty() ? from.settings.listen
                                             : from.settings.address;
  me.version = TROUPE_VERSION;
  me.incarnation = from.incarnation;
  me.revision = 1;
  me.draining = from.draining;
  for (const auto& [key, value] : from.settings.labels) {
    me.label_keys.push_back(key);
    me.label_values.push_back(value);
  }
  known.emplace(std::move(me), from.settings);
  for (const auto& address : from.settings.join)
    if (address != known->me().address)
      seeds.push_back({address, {}, 0, {}, {}});
  last_beat = now();
  beat();
}

moment node_actor_state::now() const {
  return self->clock().now();
}

greeting node_actor_state::hello() const {
  const auto& me = known->me();
  return {protocol_version, me.version, me.name, me.incarnation, me.address};
}

msg::nodes node_actor_state::list() const {
  msg::nodes out;
  const auto me = msg::node_view{known->me(), node_state::alive, {}, {}, true,
                                 has};
  out.all.push_back(me);
  for (const auto& [name, each] : known->peers())
    if (!each.is.removed)
      out.all.push_back({each.is, each.state, now() - each.since, each.problem,
                         false, each.has});
  std::ranges::sort(out.all, {}, [](const auto& x) { return x.is.name; });
  return out;
}

caf::result<msg::node_found>
node_actor_state::find(const std::string& name) const {
  if (name == from.name)
    return msg::node_found{self, true};
  const auto* found = known->find(name);
  if (!found || found->is.removed)
    return to_caf({fault::not_found, 0, "no node " + quote(name)});
  if (!found->node)
    return to_caf({fault::node_unreachable, 0,
                   "node " + name + " cannot be reached"
                     + (found->problem.empty() ? "" : ": " + found->problem)});
  return msg::node_found{found->node, false};
}

caf::result<msg::placed> node_actor_state::place(const msg::place& x) const {
  auto chosen = cluster::place(list().all, x);
  if (!chosen)
    return to_caf(std::move(chosen).error());
  return *std::move(chosen);
}

void node_actor_state::drain(bool begins) {
  if (known->me().draining == begins)
    return;
  spdlog::info("this node {}",
               begins ? "takes no new containers" : "takes containers again");
  if (from.drains)
    from.drains(begins);
  tell_all(known->drain(begins));
}

/// Only of who is gone: another one would say at once that it is not.
caf::result<msg::done> node_actor_state::remove(const std::string& name) {
  auto* found = known->find(name);
  if (name == from.name)
    return to_caf(
      {fault::wrong_state, 0, "node " + name + " is the one that was asked"});
  if (!found || found->is.removed)
    return to_caf({fault::not_found, 0, "no node " + quote(name)});
  look_at(*found);
  if (found->state != node_state::down && found->state != node_state::left)
    return to_caf({fault::wrong_state, 0,
                   "node " + name + " is "
                     + std::string{to_string(found->state)}
                     + ": only one that is down or has left can be removed"});
  const auto news = known->remove(*found, now());
  spdlog::info("node {} is removed", name);
  look_at(*found);
  tell_all(news);
  return msg::done{};
}

namespace {

cluster_actor::behavior_type
behave(cluster_actor::stateful_pointer<node_actor_state> self,
       node_origin origin) {
  guard(self);
  auto& state = self->state;
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.peer_down(x); });
  self->set_exit_handler([&state](const caf::exit_msg& x) { state.end(x); });
  state.begin(std::move(origin));
  return {
    [&state](const msg::list_nodes&) { return state.list(); },
    [&state](const msg::find_node& x) { return state.find(x.name); },
    [&state](const msg::place& x) { return state.place(x); },
    [&state](const msg::drain& x) {
      state.drain(x.begins);
      return msg::done{};
    },
    [&state](const msg::remove_node& x) { return state.remove(x.name); },
    [&state](const msg::link_asked& x) { state.asked(x); },
    [&state](const msg::link_made& x) { state.made(x); },
    [&state](const msg::link_speaks& x) { state.speaks(x); },
    [&state](const msg::link_failed& x) { state.failed(x); },
    [&state](const msg::link_ended& x) { state.ended(x); },
    [&state](const msg::deadline& x) {
      if (state.due.reached(x))
        state.beat();
    },
    [&state](const msg::join& x) { return state.join(x); },
    [&state](const msg::node_heartbeat& x) { state.heard(x); },
    [&state](const msg::member& x) { state.hear_of(x); },
    [&state](const msg::members& x) { return state.exchange(x); },
    [&state](const msg::describe_node&) {
      return msg::node_handles{state.from.name, state.from.supervisor};
    },
    [self](const msg::remote_call& x) {
      if (self->state.from.serve)
        self->state.from.serve(x, self->current_sender(), self);
      else
        self->send(
          caf::actor_cast<remote_caller_actor>(self->current_sender()),
          msg::remote_response{501, "{}", "application/json", {}, false});
    },
  };
}

} // namespace

cluster_actor spawn_node(caf::actor_system& system, node_origin origin) {
  return system.spawn(behave, std::move(origin));
}

} // namespace troupe::cluster
