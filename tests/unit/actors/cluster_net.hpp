#pragma once

#include "actors/cluster/node.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/resumable.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

/// A cluster without a network: its nodes are those of production, in one
/// deterministic actor system; what is between them does what TLS and BASP
/// promise, in no time, unless the test tells it otherwise.
namespace troupe::test {

/// What one node has sent.
struct traffic {
  std::size_t dials = 0;
  std::size_t joins = 0;
  std::size_t heartbeats = 0;
  std::size_t exchanges = 0; ///< Lists, and the last word of one that leaves.
  std::size_t answers = 0;
  std::size_t records = 0; ///< In joins, news, exchanges and answers.

  traffic& operator+=(const traffic& x);
  friend traffic operator-(const traffic& a, const traffic& b);
};

/// A node, from its start to its end. One that starts again is another.
struct net_node {
  enum class life { runs, hangs, gone };

  std::string name;
  std::string address;
  std::uint64_t incarnation = 0;
  cluster_actor actor;
  life is = life::runs;
  int side = 0; ///< Of a partition.
  traffic sent;
  std::vector<std::string> dialed; ///< Addresses, in their order.
  std::vector<std::string> served; ///< Targets of `remote_call`.
};

/// One connection. The first end is that of the node that has dialed.
struct net_link {
  struct end {
    net_node* of = nullptr;
    cluster::link_id id = 0;
    bool open = true;
    bool speaks = false;
    caf::strong_actor_ptr wire; ///< What `of` holds of the other one.
  };

  std::array<end, 2> ends;
  cluster::greeting by;     ///< Of the first.
  cluster::greeting answer; ///< Of the second.
  bool made = false;
};

class cluster_net : public deterministic {
public:
  /// What `wire` calls: `x` goes from the end `from` of `over` to the other.
  void carry(net_link& over, std::size_t from, caf::mailbox_element_ptr x,
             caf::execution_unit* context);

  // -- what a node calls, through cluster::links
  cluster::link_id dial(net_node& by, const std::string& address,
                        const std::string& name, cluster::greeting mine);
  void answer(net_node& by, cluster::link_id which, cluster::greeting mine);
  void speak(net_node& by, const msg::link_made& over);
  void drop(net_node& by, cluster::link_id which);

protected:
  cluster_net();
  ~cluster_net();

  // -- the life of nodes ------------------------------------------------------

  /// What nodes are started with from now on.
  cluster_settings usual;
  std::uint64_t next_incarnation = 1'000;

  /// Starts one; its first message is yet to be delivered. It is reached at
  /// NAME:7946 unless `address` says otherwise.
  net_node& start(const std::string& name, std::vector<std::string> join = {},
                  std::string address = {});

  /// The process dies (SIGKILL): its connections are closed, and its address
  /// refuses others.
  void kill(net_node& x);

  /// The machine goes (power): nobody is told anything, and its address is
  /// silent until another node starts there.
  void crash(net_node& x);

  /// It says goodbye and ends (SIGTERM), within a second as production lets it.
  void leave(net_node& x);
  static bool has_ended(const net_node& x);

  /// Stops it (SIGSTOP), and lets it go on with all that has come meanwhile.
  void hang(net_node& x);
  void go_on(net_node& x);

  /// Nothing passes between `side` and the others any more; nobody is told.
  void part(const std::vector<net_node*>& side);
  void heal();

  // -- time -------------------------------------------------------------------

  /// As those of `deterministic`, but who hangs stands still.
  std::size_t settle();
  void pass(caf::timespan time,
            caf::timespan step = std::chrono::milliseconds{10});

  /// Lets time pass, up to `most`, until `done`. Returns how long it took.
  template <class Done>
  caf::timespan pass_until(Done done, caf::timespan most,
                           caf::timespan step = std::chrono::milliseconds{10}) {
    auto passed = caf::timespan{0};
    for (settle(); passed < most && !done(); passed += step)
      pass(step, step);
    return passed;
  }

  // -- what tests look at -----------------------------------------------------

  std::vector<msg::node_view> list(const net_node& by);

  /// How `by` sees `name`.
  msg::node_view view(const net_node& by, const std::string& name);

  /// What `list` says, as "a alive, b suspect".
  std::string seen(const net_node& by);

  msg::node_found found(const net_node& by, const std::string& name);
  failure not_found(const net_node& by, const std::string& name);

  /// A message of the test's own to `whom`, who answers it or refuses.
  template <class Reply, class Message>
  Reply ask(const net_node& whom, Message x) {
    auto reply = self->request(whom.actor, caf::infinite, std::move(x));
    settle();
    return taken<Reply>(std::move(reply));
  }

  template <class Reply, class Message>
  failure refused(const net_node& whom, Message x) {
    auto reply = self->request(whom.actor, caf::infinite, std::move(x));
    settle();
    return refusal<Reply>(std::move(reply));
  }

  /// Links that both ends hold.
  std::vector<const net_link*> links_between(const net_node& a,
                                             const net_node& b) const;

  /// All that was sent by all, dead or alive.
  [[nodiscard]] traffic total() const;

  /// What nodes have answered to links that the net knows nothing of: those
  /// that the test pretends.
  std::map<cluster::link_id, cluster::greeting> answers;

private:
  using moment = caf::actor_clock::time_point;
  using shared_link = std::shared_ptr<net_link>;
  struct place {
    shared_link link;
    std::size_t end = 0;
  };

  moment now();
  bool passes(const net_node& from, const net_node& to) const;
  place find(cluster::link_id which) const;
  void tell_failed(const shared_link& of, const std::string& by, failure why);
  void tell_ended(net_link::end& whom, const std::string& why);
  void close(const shared_link& of, std::size_t end);
  void close_all(net_node& of, bool others_are_told);
  void connect(const shared_link& link);
  void give_up_late();
  void expect_soon(cluster::link_id which);
  bool shelves(caf::resumable* job);

  caf::scheduler::test_coordinator& jobs_;
  std::vector<std::unique_ptr<net_node>> nodes_;
  std::map<std::string, net_node*> reached_at_;
  std::set<std::string> dark_; ///< Addresses of machines that are gone.
  std::unordered_map<cluster::link_id, place> links_;
  std::multimap<moment, cluster::link_id> late_;
  cluster::link_id last_link_ = 0;
  std::map<caf::resumable*, net_node*> hung_;
  std::map<caf::resumable*, caf::resumable*> shelf_; ///< Jobs of the hung.
};

} // namespace troupe::test
