#include "actors/cluster/node_state.hpp"
#include "actors/errors.hpp"
#include "runtime/linux/host_memory.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

/// Who lives: everybody tells everybody, each `heartbeat_ms`.
namespace troupe::cluster {

using msg::node_state;

namespace {

constexpr auto exchange_patience = std::chrono::seconds{5};
/// From our greeting to their join, over whatever there is in between.
constexpr auto arrival_patience = std::chrono::seconds{15};

} // namespace

void node_actor_state::beat() {
  excuse_absence();
  std::erase_if(expected, [&](const auto& each) {
    return now() - each.second.since > arrival_patience;
  });
  for (auto& [name, each] : known->peers())
    look_at(each);
  known->forget_who_left(now());
  dial_missing();
  measure();
  const auto digest = known->digest();
  send_heartbeats(digest);
  exchange_with_one(digest);
  due.arm(node_due::heartbeat,
          std::chrono::milliseconds{from.settings.heartbeat_ms});
}

/// Who was stopped himself (SIGSTOP, a laptop's lid) has heard nobody, and
/// nobody is to blame.
void node_actor_state::excuse_absence() {
  const auto interval = std::chrono::milliseconds{from.settings.heartbeat_ms};
  const auto since = now() - last_beat;
  if (since > 2 * interval) {
    known->excuse(since - interval, now());
    spdlog::warn(
      "this node was away for {} ms",
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  }
  last_beat = now();
}

void node_actor_state::look_at(peer& x) {
  const auto next = known->state_of(x, now());
  if (next != x.state) {
    const auto old = std::exchange(x.state, next);
    x.since = now();
    spdlog::info("node {} is {}, it was {}{}", x.is.name, to_string(next),
                 to_string(old), x.problem.empty() ? "" : ": " + x.problem);
  }
  if ((next == node_state::down || next == node_state::left) && x.link != 0)
    lose_link(x, next == node_state::left ? "it has left" : "it is silent");
}

void node_actor_state::dial_missing() {
  if (leaving)
    return;
  for (auto& [name, each] : known->peers())
    if (each.link == 0 && each.dialing == 0 && !each.is.left
        && each.again.is_due(now()))
      each.dialing = from.links->dial(each.is.address, name, hello());
  for (auto& each : seeds) {
    const auto* found = known->find(each.name);
    const auto is_known = each.name == from.name
                          || (found
                              && (found->link != 0 || found->dialing != 0));
    if (!is_known && each.dialing == 0 && each.again.is_due(now()))
      each.dialing = from.links->dial(each.address, {}, hello());
  }
}

void node_actor_state::send_heartbeats(std::uint64_t digest) {
  const auto& me = known->me();
  const msg::node_heartbeat x{me.name, me.incarnation, digest, has};
  for (auto& [name, each] : known->peers())
    if (each.node)
      self->send(each.node, x);
}

/// Whoever does not get it hears of it by digest.
void node_actor_state::tell_all(const msg::member& news) {
  for (auto& [name, each] : known->peers())
    if (each.node)
      self->send(each.node, news);
}

void node_actor_state::measure() {
  constexpr std::int64_t per_mille = 1000;
  if (!from.supervisor)
    return;
  const auto memory = sys::read_host_memory();
  has.memory_total = std::max<std::int64_t>(memory.total, 0);
  has.memory_available = std::max<std::int64_t>(memory.available, 0);
  const auto cpu = sys::read_host_cpu();
  const auto could = cpu.online * (now() - measured).count();
  if (could > 0 && cpu.usage_ns >= cpu_before.usage_ns)
    has.busy_permille = static_cast<std::uint32_t>(std::min(
      per_mille * (cpu.usage_ns - cpu_before.usage_ns) / could, per_mille));
  has.cpus = static_cast<std::uint32_t>(cpu.online);
  cpu_before = cpu;
  measured = now();
  self->request(from.supervisor, exchange_patience, msg::describe_host{})
    .then(
      [this](const msg::host_info& x) {
        has.running = static_cast<std::uint32_t>(x.running + x.paused);
      },
      [](const caf::error&) {}); // It ends, and so does this.
}

/// Lists are sent when they differ only, and to one node at a time: this is for
/// what was missed. What differs for a moment is news that is on its way.
void node_actor_state::exchange_with_one(std::uint64_t digest) {
  constexpr auto patience = 2; // heartbeats
  std::vector<peer*> others;
  for (auto& [name, each] : known->peers()) {
    const auto same = !each.node || each.digest == 0 || each.digest == digest;
    each.differs = same ? 0 : each.differs + 1;
    if (each.differs >= patience)
      others.push_back(&each);
  }
  if (others.empty())
    return;
  exchange_with(others[chance() % others.size()]->node);
}

void node_actor_state::exchange_with(const node_actor& node) {
  self->request(node, exchange_patience, known->all(now()))
    .then([this](const msg::members& theirs) { merge(theirs); },
          [](const caf::error& why) {
            spdlog::debug("members: {}", from_caf(why).what);
          });
}

void node_actor_state::heard(const msg::node_heartbeat& x) {
  auto* by = known->find(x.name);
  if (!by || by->is.incarnation != x.incarnation || !by->node)
    return;
  by->heard = now();
  by->digest = x.digest;
  by->has = x.has;
  look_at(*by);
}

msg::members node_actor_state::exchange(const msg::members& x) {
  merge(x);
  return known->all(now());
}

void node_actor_state::merge(const msg::members& x) {
  for (const auto& each : x.all)
    hear_of(each);
}

/// True: it is news.
bool node_actor_state::hear_of(const msg::member& x) {
  if (known->outdo(x)) {
    begin_again();
    return false;
  }
  if (!leaving && known->contradict(x)) {
    spdlog::warn("others were told that {} is gone: it says that it is not",
                 from.name);
    tell_all(known->me());
    return false;
  }
  return learn(x);
}

/// It has joined this node. To who has heard of it already it is no news: so
/// the others hear of it once each, from its first peer.
void node_actor_state::introduce(const msg::member& x) {
  if (hear_of(x))
    tell_all(x);
}

bool node_actor_state::learn(const msg::member& x) {
  if (!known->merge(x, now()))
    return false;
  auto& of = *known->find(x.name);
  if (of.link != 0 && of.linked < x.incarnation)
    lose_link(of, "it has started again");
  else
    look_at(of);
  return true;
}

bool node_actor_state::is_alone() const {
  return std::ranges::none_of(
    known->peers(), [](const auto& x) { return x.second.node != nullptr; });
}

/// All links were made by an incarnation that the others do not believe in.
void node_actor_state::begin_again() {
  spdlog::warn("others know of a later {}: the clock was set back", from.name);
  for (auto& [name, each] : known->peers()) {
    lose_link(each, "this node begins again");
    each.again.succeeded();
  }
}

} // namespace troupe::cluster
