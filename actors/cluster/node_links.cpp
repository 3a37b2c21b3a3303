#include "actors/cluster/node_state.hpp"
#include "actors/errors.hpp"
#include "runtime/tls/token.hpp"

#include <caf/exit_reason.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

/// How links are made and lost. One side dials, the other is asked; both greet
/// each other, and then the side that has dialed joins. Should both dial at
/// once, the smaller name's link is the one that both keep.
///
/// A link brings no list of all nodes, or N nodes would send N² of them: who
/// had nobody before asks for it, who is new is told of to the others, and what
/// is missed comes with the heartbeats (node_health.cpp).
namespace troupe::cluster {

namespace {

constexpr auto join_patience = std::chrono::seconds{5};
constexpr auto farewell_patience = std::chrono::milliseconds{700};

/// Of revision 0: what it says of itself counts more.
msg::member member_of(const greeting& x) {
  auto out = msg::member{};
  out.name = x.name;
  out.address = x.address;
  out.version = x.version;
  out.incarnation = x.incarnation;
  return out;
}

} // namespace

void node_actor_state::asked(const msg::link_asked& x) {
  auto answer = hello();
  if (leaving)
    answer.refusal = "this node leaves";
  else if (const auto objection = known->objection(x.by, now())) {
    answer.refusal = *objection;
    spdlog::info("node {} is refused a link: {}", x.by.name, *objection);
  } else {
    answer.token = tls::random_token();
    expected[answer.token] = {x.link, now()};
  }
  from.links->answer(x.link, std::move(answer));
}

void node_actor_state::made(const msg::link_made& x) {
  learn(member_of(x.to));
  auto* with = known->find(x.to.name);
  for (auto& each : seeds)
    if (each.dialing == x.link) {
      each.name = x.to.name;
      each.dialing = 0;
    }
  if (!with) // A seed that is this node.
    return from.links->drop(x.link);
  if (with->dialing == x.link)
    with->dialing = 0;
  if (with->link != 0) {
    if (!known->prefers(*with, x.dialed) && !known->is_silent(*with, now()))
      return from.links->drop(x.link);
    lose_link(*with, "another one takes its place");
  }
  with->link = x.link;
  with->dialed = x.dialed;
  with->linked = x.to.incarnation;
  with->heard = now();
  from.links->speak(x, self);
}

/// Ours: whoever is there is told who we are. `greeting::token` came with the
/// answer to ours.
void node_actor_state::speaks(const msg::link_speaks& x) {
  auto* with = known->find_link(x.link);
  if (!with)
    return;
  if (!x.node) {
    lose_link(*with, x.problem);
    return;
  }
  const auto fails = [this, link = x.link](const caf::error& why) {
    if (auto* with = known->find_link(link))
      lose_link(*with, "join: " + from_caf(why).what);
  };
  self->request(x.node, join_patience, msg::join{x.token, known->me()})
    .then(
      [this, link = x.link, node = x.node](const msg::members& who) {
        for (const auto& each : who.all)
          introduce(each);
        if (auto* with = known->find_link(link))
          welcome(*with, node);
      },
      fails);
}

caf::result<msg::members> node_actor_state::join(const msg::join& x) {
  const auto greeted = expected.find(x.token);
  auto* with = greeted == expected.end()
                 ? nullptr
                 : known->find_link(greeted->second.link);
  if (!with || with->is.name != x.me.name)
    return to_caf({fault::denied, 0, "nobody was greeted with that token"});
  const auto link = greeted->second.link;
  expected.erase(greeted);
  introduce(x.me);
  if (with->link != link)
    return to_caf({fault::unavailable, 0, "the link is given up"});
  welcome(*with, caf::actor_cast<node_actor>(self->current_sender()));
  return msg::members{{known->me()}};
}

/// Who was removed, and lives, is told of that: it says that it does.
void node_actor_state::welcome(peer& with, const node_actor& node) {
  if (!with.is.left)
    return joined(with, node);
  self->request(node, join_patience, msg::members{{with.is}})
    .then(
      [this, link = with.link, node](const msg::members& who) {
        merge(who);
        if (auto* with = known->find_link(link))
          joined(*with, node);
      },
      [this, link = with.link](const caf::error& why) {
        if (auto* with = known->find_link(link))
          lose_link(*with, "removed: " + from_caf(why).what);
      });
}

void node_actor_state::joined(peer& with, node_actor node) {
  if (is_alone())
    exchange_with(node);
  with.node = std::move(node);
  with.heard = now();
  with.problem.clear();
  with.again.succeeded();
  self->monitor(with.node);
  look_at(with);
}

void node_actor_state::failed(const msg::link_failed& x) {
  const auto note = [&](auto& of) {
    if (of.dialing != x.link)
      return;
    of.dialing = 0;
    of.again.failed(now(), chance);
    if (of.problem != x.why.what)
      spdlog::warn("no link to {}: {}", x.by.empty() ? "a node" : x.by,
                   x.why.what);
    of.problem = x.why.what;
  };
  for (auto& [name, each] : known->peers())
    if (each.link == 0)
      note(each);
    else if (each.dialing == x.link)
      each.dialing = 0; // The one that they have made will do.
  for (auto& each : seeds) {
    if (each.dialing == x.link && !x.by.empty())
      each.name = x.by; // It is linked already, or this node itself.
    note(each);
  }
}

void node_actor_state::ended(const msg::link_ended& x) {
  std::erase_if(expected,
                [&](const auto& each) { return each.second.link == x.link; });
  auto* with = known->find_link(x.link);
  if (!with)
    return;
  with->link = 0;
  lose_link(*with, x.why);
}

/// CAF notices that nobody is there when the link has gone.
void node_actor_state::peer_down(const caf::down_msg& x) {
  for (auto& [name, each] : known->peers())
    if (each.node && each.node.address() == x.source)
      return lose_link(each, "it does not answer");
}

void node_actor_state::lose_link(peer& of, const std::string& why) {
  if (of.link != 0)
    from.links->drop(std::exchange(of.link, 0));
  if (of.node)
    self->demonitor(of.node.address());
  of.node = nullptr;
  of.problem = why;
  of.again.failed(now(), chance);
  look_at(of);
  if (leaving)
    leave_if_alone();
}

/// Only this process ends its NODE; peers may send what they like.
void node_actor_state::end(const caf::exit_msg& x) {
  if (x.source && x.source.node() != self->node()) {
    spdlog::error("a node has sent an exit message: it is ignored");
    return;
  }
  if (leaving)
    return self->quit(x.reason);
  leaving = true;
  say_goodbye();
}

/// Ends when every peer has heard it, or is lost: the link must not close on
/// the news.
void node_actor_state::say_goodbye() {
  const msg::members last{{known->leave()}};
  for (auto& [name, each] : known->peers()) {
    if (!each.node)
      continue;
    const auto done = [this, link = each.link] {
      if (auto* of = known->find_link(link))
        lose_link(*of, "this node leaves");
    };
    self->request(each.node, farewell_patience, last)
      .then([done](const msg::members&) { done(); },
            [done](const caf::error&) { done(); });
  }
  leave_if_alone();
}

void node_actor_state::leave_if_alone() {
  if (is_alone())
    self->quit(caf::exit_reason::user_shutdown);
}

} // namespace troupe::cluster
