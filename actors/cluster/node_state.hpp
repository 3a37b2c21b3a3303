#pragma once

#include "actors/cluster/node.hpp"
#include "actors/cluster/roster.hpp"
#include "actors/deadlines.hpp"
#include "runtime/linux/host_cpu.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe::cluster {

enum class node_due : std::uint8_t { heartbeat, count };

/// One of `cluster_settings::join`.
struct seed {
  std::string address;
  std::string name; ///< Of whom was found there; empty: nobody yet.
  link_id dialing = 0;
  back_off again;
  std::string problem;
};

struct expected_link {
  link_id link = 0;
  moment since{};
};

/// The CLUSTER. node.cpp answers, node_links.cpp makes and loses links,
/// node_health.cpp listens for who is silent.
struct node_actor_state {
  using pointer = cluster_actor::stateful_pointer<node_actor_state>;

  static constexpr const char* name = "cluster";

  explicit node_actor_state(pointer me);

  void begin(node_origin origin);

  // -- requests ---------------------------------------------------------------

  msg::nodes list() const;
  caf::result<msg::node_found> find(const std::string& name) const;
  caf::result<msg::placed> place(const msg::place& x) const;
  void drain(bool begins);
  caf::result<msg::done> remove(const std::string& name);

  // -- links ------------------------------------------------------------------

  void asked(const msg::link_asked& x);
  void made(const msg::link_made& x);
  void speaks(const msg::link_speaks& x);
  void failed(const msg::link_failed& x);
  void ended(const msg::link_ended& x);
  caf::result<msg::members> join(const msg::join& x);
  void welcome(peer& with, const node_actor& node);
  void joined(peer& with, node_actor node);
  void lose_link(peer& of, const std::string& why);
  void peer_down(const caf::down_msg& x);
  void end(const caf::exit_msg& x);
  void say_goodbye();
  void leave_if_alone();

  // -- health -----------------------------------------------------------------

  void beat();
  void excuse_absence();
  void look_at(peer& x);
  void dial_missing();
  void send_heartbeats(std::uint64_t digest);
  void exchange_with_one(std::uint64_t digest);
  void exchange_with(const node_actor& node);
  void measure();
  void tell_all(const msg::member& news);
  void introduce(const msg::member& x);
  [[nodiscard]] bool is_alone() const;
  void heard(const msg::node_heartbeat& x);
  msg::members exchange(const msg::members& x);
  void merge(const msg::members& x);
  bool hear_of(const msg::member& x);
  bool learn(const msg::member& x);
  void begin_again();

  // -- shared -----------------------------------------------------------------

  [[nodiscard]] greeting hello() const;
  [[nodiscard]] moment now() const;

  pointer self;
  node_origin from;
  std::optional<roster> known; ///< Never empty after `begin`.
  std::vector<seed> seeds;
  /// Links of theirs that were accepted, by the token in our greeting. Not all
  /// come about, and nobody tells: so they are forgotten after a while.
  std::map<std::string, expected_link> expected;
  deadlines<pointer, node_due> due;
  bool leaving = false;
  moment last_beat{};
  msg::node_load has; ///< This node.
  sys::host_cpu cpu_before;
  moment measured{}; ///< `cpu_before`.
  std::minstd_rand chance;
};

} // namespace troupe::cluster
