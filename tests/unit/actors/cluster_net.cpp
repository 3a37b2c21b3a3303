#include "tests/unit/actors/cluster_net.hpp"

#include <caf/actor_proxy.hpp>
#include <caf/make_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

namespace troupe::test {

namespace {

/// As the endpoint and basp.cpp have it.
constexpr auto handshake_patience = std::chrono::seconds{5};

constexpr std::array<std::string_view, 4> node_state_names{"alive", "suspect",
                                                           "down", "left"};

/// A node as another one has it: of the same identity as each other one of it,
/// as CAF's proxies are, and dead as soon as the link is.
class wire : public caf::actor_proxy {
public:
  wire(caf::actor_config& config, cluster_net& net,
       std::shared_ptr<net_link> over, std::size_t from)
    : actor_proxy(config), net_(net), over_(std::move(over)), from_(from) {
  }

  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* on) override {
    if (over_)
      net_.carry(*over_, from_, std::move(x), on);
  }

  void kill_proxy(caf::execution_unit* on, caf::error why) override {
    over_.reset();
    cleanup(std::move(why), on);
  }

private:
  cluster_net& net_;
  std::shared_ptr<net_link> over_;
  std::size_t from_;
};

void cut(caf::strong_actor_ptr& x) {
  if (const auto one = std::exchange(x, nullptr))
    static_cast<wire*>(one->get())
      ->kill_proxy(nullptr, caf::exit_reason::remote_link_unreachable);
}

class port : public cluster::links {
public:
  port(cluster_net& net, net_node& of) : net_(net), of_(of) {
  }
  cluster::link_id dial(const std::string& address, const std::string& name,
                        cluster::greeting mine) override {
    return net_.dial(of_, address, name, std::move(mine));
  }
  void answer(cluster::link_id which, cluster::greeting mine) override {
    net_.answer(of_, which, std::move(mine));
  }
  void speak(const msg::link_made& over, node_actor) override {
    net_.speak(of_, over);
  }
  void drop(cluster::link_id which) override {
    net_.drop(of_, which);
  }

private:
  cluster_net& net_;
  net_node& of_;
};

caf::resumable* job_of(const net_node& x) {
  return dynamic_cast<caf::resumable*>(
    caf::actor_cast<caf::abstract_actor*>(x.actor));
}

void count(traffic& to, const caf::mailbox_element& x) {
  const auto& content = x.content();
  if (content.match_elements<msg::node_heartbeat>()) {
    ++to.heartbeats;
  } else if (content.match_elements<msg::join>()) {
    ++to.joins;
    ++to.records;
  } else if (content.match_elements<msg::member>()) {
    ++to.records;
  } else if (content.match_elements<msg::members>()) {
    to.records += content.get_as<msg::members>(0).all.size();
    ++(x.mid.is_response() ? to.answers : to.exchanges);
  } else if (x.mid.is_response()) {
    ++to.answers;
  }
}

} // namespace

traffic& traffic::operator+=(const traffic& x) {
  dials += x.dials;
  joins += x.joins;
  heartbeats += x.heartbeats;
  exchanges += x.exchanges;
  answers += x.answers;
  records += x.records;
  return *this;
}

traffic operator-(const traffic& a, const traffic& b) {
  return {a.dials - b.dials,           a.joins - b.joins,
          a.heartbeats - b.heartbeats, a.exchanges - b.exchanges,
          a.answers - b.answers,       a.records - b.records};
}

cluster_net::cluster_net() : jobs_(scheduler()) {
  spdlog::set_level(spdlog::level::off);
}

cluster_net::~cluster_net() {
  for (auto& each : nodes_) {
    go_on(*each);
    each->is = net_node::life::gone;
  }
  for (auto& [id, each] : links_)
    for (auto& end : each.link->ends) {
      end.open = false;
      cut(end.wire);
    }
  kill_owned();
}

// -- the life of nodes --------------------------------------------------------

net_node& cluster_net::start(const std::string& name,
                             std::vector<std::string> join,
                             std::string address) {
  auto& out = *nodes_.emplace_back(std::make_unique<net_node>());
  out.name = name;
  out.address = address.empty() ? name + ":7946" : std::move(address);
  out.incarnation = next_incarnation++;
  auto with = usual;
  with.listen = out.address;
  with.join = std::move(join);
  out.actor = own(cluster::spawn_node(
    system,
    {name, out.incarnation, std::move(with), std::make_shared<port>(*this, out),
     [&out](const msg::remote_call& x, const auto&...) {
       out.served.push_back(x.target);
     }}));
  reached_at_[out.address] = &out;
  dark_.erase(out.address);
  return out;
}

void cluster_net::close_all(net_node& of, bool others_are_told) {
  of.is = net_node::life::gone;
  std::vector<place> all;
  for (const auto& [id, each] : links_)
    if (each.link->ends[each.end].of == &of)
      all.push_back(each);
  // In the order of their making, so that runs can be repeated.
  std::ranges::sort(all, {},
                    [](const place& x) { return x.link->ends[x.end].id; });
  for (auto& [link, end] : all) {
    if (others_are_told)
      close(link, end);
    link->ends[end].open = false;
    cut(link->ends[end].wire);
  }
  if (reached_at_[of.address] == &of)
    reached_at_.erase(of.address);
}

void cluster_net::kill(net_node& x) {
  close_all(x, true);
  go_on(x);
  caf::anon_send_exit(x.actor, caf::exit_reason::kill);
  settle();
}

void cluster_net::crash(net_node& x) {
  dark_.insert(x.address);
  close_all(x, false);
  go_on(x);
  caf::anon_send_exit(x.actor, caf::exit_reason::kill);
  settle();
}

void cluster_net::leave(net_node& x) {
  constexpr auto patience = std::chrono::seconds{1};
  caf::anon_send_exit(x.actor, caf::exit_reason::user_shutdown);
  pass_until([&] { return has_ended(x); }, patience);
  close_all(x, true);
  settle();
}

bool cluster_net::has_ended(const net_node& x) {
  return caf::actor_cast<caf::abstract_actor*>(x.actor)->getf(
    caf::abstract_actor::is_terminated_flag);
}

void cluster_net::hang(net_node& x) {
  x.is = net_node::life::hangs;
  hung_.emplace(job_of(x), &x);
}

void cluster_net::go_on(net_node& x) {
  auto* job = job_of(x);
  if (hung_.erase(job) == 0)
    return;
  if (x.is == net_node::life::hangs)
    x.is = net_node::life::runs;
  if (shelf_.erase(job) > 0)
    jobs_.jobs.push_back(job);
}

void cluster_net::part(const std::vector<net_node*>& side) {
  for (auto* each : side)
    each->side = 1;
}

void cluster_net::heal() {
  for (auto& each : nodes_)
    each->side = 0;
}

// -- time ---------------------------------------------------------------------

bool cluster_net::shelves(caf::resumable* job) {
  if (hung_.empty() || !hung_.contains(job))
    return false;
  jobs_.jobs.pop_front();
  shelf_.emplace(job, job);
  return true;
}

std::size_t cluster_net::settle() {
  std::size_t delivered = 0;
  while (!jobs_.jobs.empty())
    if (!shelves(jobs_.jobs.front()) && jobs_.try_run_once())
      ++delivered;
  return delivered;
}

void cluster_net::pass(caf::timespan time, caf::timespan step) {
  settle();
  while (time.count() > 0) {
    const auto now = std::min(time, step);
    jobs_.advance_time(now);
    give_up_late();
    settle();
    time -= now;
  }
}

cluster_net::moment cluster_net::now() {
  return jobs_.clock().now();
}

// -- links --------------------------------------------------------------------

bool cluster_net::passes(const net_node& from, const net_node& to) const {
  const auto is_dark = to.is == net_node::life::gone
                       && dark_.contains(to.address);
  return from.side == to.side && !is_dark;
}

cluster_net::place cluster_net::find(cluster::link_id which) const {
  const auto found = links_.find(which);
  return found == links_.end() ? place{} : found->second;
}

void cluster_net::expect_soon(cluster::link_id which) {
  late_.emplace(now() + handshake_patience, which);
}

void cluster_net::tell_failed(const shared_link& of, const std::string& by,
                              failure why) {
  for (const auto& each : of->ends)
    links_.erase(each.id);
  caf::anon_send(of->ends[0].of->actor,
                 msg::link_failed{of->ends[0].id, by, std::move(why)});
}

cluster::link_id cluster_net::dial(net_node& by, const std::string& address,
                                   const std::string& name,
                                   cluster::greeting mine) {
  const auto as = ++last_link_;
  if (by.is == net_node::life::gone)
    return as;
  ++by.sent.dials;
  by.dialed.push_back(address);
  const auto link = std::make_shared<net_link>();
  link->by = std::move(mine);
  link->ends[0].of = &by;
  link->ends[0].id = as;
  links_[as] = {link, 0};
  const auto at = reached_at_.find(address);
  auto* to = at == reached_at_.end() ? nullptr : at->second;
  if (dark_.contains(address) || (to && !passes(by, *to))) {
    expect_soon(as);
  } else if (!to) {
    tell_failed(link, "",
                {fault::unavailable, 0, "connect: Connection refused"});
  } else if (!name.empty() && name != to->name) {
    tell_failed(link, to->name,
                {fault::denied, 0, "expected " + name + ", found " + to->name});
  } else {
    link->ends[1].of = to;
    link->ends[1].id = ++last_link_;
    links_[link->ends[1].id] = {link, 1};
    expect_soon(as);
    caf::anon_send(to->actor, msg::link_asked{link->ends[1].id, link->by});
  }
  return as;
}

void cluster_net::answer(net_node& by, cluster::link_id which,
                         cluster::greeting mine) {
  const auto [link, end] = find(which);
  if (!link) {
    answers[which] = std::move(mine);
    return;
  }
  if (by.is == net_node::life::gone || link->made
      || !passes(by, *link->ends[0].of))
    return;
  if (!mine.refusal.empty())
    return tell_failed(
      link, by.name, {fault::denied, 0, by.name + " refuses: " + mine.refusal});
  link->made = true;
  link->answer = std::move(mine);
  caf::anon_send(by.actor,
                 msg::link_made{link->ends[1].id, link->by, nullptr, false});
  caf::anon_send(link->ends[0].of->actor,
                 msg::link_made{link->ends[0].id, link->answer, nullptr, true});
}

void cluster_net::speak(net_node& by, const msg::link_made& over) {
  const auto [link, end] = find(over.link);
  if (by.is == net_node::life::gone || !link || !link->made)
    return;
  link->ends[end].speaks = true;
  if (end == 0)
    expect_soon(over.link);
  if (link->ends[0].speaks && link->ends[1].speaks)
    connect(link);
}

void cluster_net::connect(const shared_link& link) {
  auto& [first, second] = link->ends;
  if (!first.open || !second.open || !passes(*first.of, *second.of))
    return;
  const auto make = [&](std::size_t from) {
    caf::actor_config config;
    const auto& to = *link->ends[1 - from].of;
    caf::node_id::default_data::host_id_type host{};
    host.front() = 1;
    link->ends[from].wire = caf::make_actor<wire, caf::strong_actor_ptr>(
      to.actor.id(),
      caf::make_node_id(static_cast<std::uint32_t>(to.incarnation), host),
      &system, config, *this, link, from);
  };
  make(0);
  make(1);
  caf::anon_send(first.of->actor,
                 msg::link_speaks{first.id,
                                  caf::actor_cast<node_actor>(first.wire),
                                  link->answer.token, ""});
}

/// Dials and first words that nobody has answered.
void cluster_net::give_up_late() {
  while (!late_.empty() && late_.begin()->first <= now()) {
    const auto [link, end] = find(late_.begin()->second);
    late_.erase(late_.begin());
    if (!link)
      continue;
    auto& mine = link->ends[0];
    if (!link->made)
      tell_failed(link, "",
                  {fault::timed_out, 0, "handshake: it took too long"});
    else if (mine.open && mine.speaks && !mine.wire)
      caf::anon_send(mine.of->actor, msg::link_speaks{mine.id, node_actor{}, "",
                                                      "nobody answers"});
  }
}

void cluster_net::tell_ended(net_link::end& whom, const std::string& why) {
  whom.open = false;
  caf::anon_send(whom.of->actor, msg::link_ended{whom.id, why});
  cut(whom.wire);
}

/// The other one is told, if anything gets there.
void cluster_net::close(const shared_link& of, std::size_t end) {
  auto& mine = of->ends[end];
  auto& theirs = of->ends[1 - end];
  if (!of->made) {
    if (end == 1 && passes(*mine.of, *theirs.of))
      tell_failed(of, "", {fault::unavailable, 0, "greeting: closed"});
    return;
  }
  if (!std::exchange(mine.open, false))
    return;
  cut(mine.wire);
  links_.erase(mine.id);
  if (theirs.open && passes(*mine.of, *theirs.of)) {
    links_.erase(theirs.id);
    tell_ended(theirs, "the other side has closed it");
  }
}

void cluster_net::drop(net_node& by, cluster::link_id which) {
  const auto [link, end] = find(which);
  if (by.is == net_node::life::gone || !link)
    return;
  if (!link->made)
    for (const auto& each : link->ends)
      links_.erase(each.id);
  else
    close(link, end);
}

void cluster_net::carry(net_link& over, std::size_t from,
                        caf::mailbox_element_ptr x, caf::execution_unit* on) {
  auto& mine = over.ends[from];
  auto& theirs = over.ends[1 - from];
  if (!mine.open || mine.of->is == net_node::life::gone
      || !passes(*mine.of, *theirs.of))
    return;
  if (!theirs.open) {
    // `over` is the wire's, which ends here.
    const auto kept = links_.extract(mine.id);
    return tell_ended(mine, "Connection reset by peer");
  }
  count(mine.of->sent, *x);
  const auto sender = caf::actor_cast<caf::strong_actor_ptr>(mine.of->actor);
  if (x->sender == sender)
    x->sender = theirs.wire;
  caf::actor_cast<caf::strong_actor_ptr>(theirs.of->actor)
    ->enqueue(std::move(x), on);
}

// -- what tests look at -------------------------------------------------------

std::vector<msg::node_view> cluster_net::list(const net_node& by) {
  return ask<msg::nodes>(by, msg::list_nodes{}).all;
}

msg::node_view cluster_net::view(const net_node& by, const std::string& name) {
  const auto all = list(by);
  const auto at = std::ranges::find(
    all, name, [](const msg::node_view& x) { return x.is.name; });
  INFO(by.name << " about " << name);
  REQUIRE(at != all.end());
  return *at;
}

std::string cluster_net::seen(const net_node& by) {
  std::string out;
  for (const auto& each : list(by))
    out += (out.empty() ? "" : ", ") + each.is.name + " "
           + std::string{
             node_state_names[static_cast<std::size_t>(each.state)]};
  return out;
}

msg::node_found cluster_net::found(const net_node& by,
                                   const std::string& name) {
  return ask<msg::node_found>(by, msg::find_node{name});
}

failure cluster_net::not_found(const net_node& by, const std::string& name) {
  return refused<msg::node_found>(by, msg::find_node{name});
}

std::vector<const net_link*>
cluster_net::links_between(const net_node& a, const net_node& b) const {
  std::vector<const net_link*> out;
  for (const auto& [id, each] : links_) {
    const auto& [first, second] = each.link->ends;
    if (each.end == 0 && each.link->made && first.open && second.open
        && ((first.of == &a && second.of == &b)
            || (first.of == &b && second.of == &a)))
      out.push_back(each.link.get());
  }
  return out;
}

traffic cluster_net::total() const {
  traffic out;
  for (const auto& each : nodes_)
    out += each->sent;
  return out;
}

} // namespace troupe::test
