#include "tests/unit/actors/cluster_net.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

namespace troupe::cluster_node_test {

namespace {

using namespace std::chrono_literals;
using msg::node_state;
using test::net_node;

/// A cluster with a few words for what these tests do again and again.
class cluster : public test::cluster_net {
protected:
  /// Starts `name`, joins by `a`, and lets it settle.
  net_node& begin(const std::string& name) {
    auto& out = start(name, {"a:7946"});
    settle();
    return out;
  }

  /// Two nodes, "a" and "b", that know each other and beat at once.
  void begin_two() {
    a = &begin("a");
    b = &begin("b");
    REQUIRE(seen(*a) == "a alive, b alive");
    REQUIRE(seen(*b) == "a alive, b alive");
  }

  /// And "c".
  void begin_three() {
    begin_two();
    c = &begin("c");
    pass(2s);
    for (const auto* each : {a, b, c})
      REQUIRE(seen(*each) == "a alive, b alive, c alive");
  }

  /// Makes `by` a link to nobody, up to where `node` waits for its join.
  /// Returns the token.
  std::string greet(const net_node& node, const troupe::cluster::greeting& by) {
    constexpr std::uint64_t which = 1'000'000;
    self->send(node.actor, msg::link_asked{which, by});
    settle();
    REQUIRE(answers[which].refusal.empty());
    self->send(node.actor, msg::link_made{which, by, nullptr, false});
    settle();
    return answers[which].token;
  }

  std::size_t dials_to(const net_node& by, const std::string& address) {
    return static_cast<std::size_t>(std::ranges::count(by.dialed, address));
  }

  net_node* a = nullptr;
  net_node* b = nullptr;
  net_node* c = nullptr;
};

constexpr auto suspect_after = 3s;
constexpr auto down_after = 8s;
constexpr auto heartbeat = 1s;
constexpr auto longest_pause = 30s; // Of a back-off.

msg::member member_called(const std::string& name) {
  msg::member out;
  out.name = name;
  out.address = name + ":7946";
  out.incarnation = 7;
  out.revision = 1;
  return out;
}

troupe::cluster::greeting greeting_of(const std::string& name) {
  troupe::cluster::greeting out;
  out.version = "0.1.0";
  out.name = name;
  out.incarnation = 7;
  out.address = name + ":7946";
  return out;
}

} // namespace

// -- joining ------------------------------------------------------------------

TEST_CASE_METHOD(cluster, "a node joins by a seed", "[cluster]") {
  usual.labels = {{"disk", "ssd"}};
  begin_two();
  CHECK(links_between(*a, *b).size() == 1);
  CHECK(a->dialed.empty());
  CHECK(b->dialed == std::vector<std::string>{"a:7946"});
  CHECK(total().joins == 1);
  for (const auto* each : {a, b})
    for (const auto& node : list(*each)) {
      INFO(each->name << " about " << node.is.name);
      CHECK(node.is.revision == 1);
      CHECK(node.is.version == TROUPE_VERSION);
      CHECK(node.is.address == node.is.name + ":7946");
      CHECK(node.is.label_keys == std::vector<std::string>{"disk"});
      CHECK(node.is.label_values == std::vector<std::string>{"ssd"});
      CHECK(node.self == (node.is.name == each->name));
      CHECK(node.problem.empty());
    }
  CHECK(view(*a, "b").is.incarnation == b->incarnation);
}

TEST_CASE_METHOD(cluster, "a seed that starts later is found", "[cluster]") {
  b = &start("b", {"a:7946"});
  pass(5s);
  CHECK(seen(*b) == "b alive");
  a = &start("a");
  CHECK(pass_until([&] { return seen(*b) == "a alive, b alive"; }, 1min)
        <= 10s);
  CHECK(seen(*a) == "a alive, b alive");
}

TEST_CASE_METHOD(cluster, "the third learns of the second through the first",
                 "[cluster]") {
  begin_two();
  c = &begin("c");
  CHECK(seen(*c) == "a alive, b suspect, c alive");
  CHECK(seen(*b) == "a alive, b alive, c suspect");
  pass(heartbeat);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
  CHECK(links_between(*b, *c).size() == 1);
}

TEST_CASE_METHOD(cluster, "nothing but heartbeats once all know each other",
                 "[cluster]") {
  begin_three();
  const auto before = total();
  pass(1min);
  const auto sent = total() - before;
  CHECK(sent.heartbeats == 3 * 2 * 60);
  CHECK(sent.dials == 0);
  CHECK(sent.joins == 0);
  CHECK(sent.exchanges == 0);
}

TEST_CASE_METHOD(cluster, "two that dial each other keep one link",
                 "[cluster]") {
  a = &start("a", {"b:7946"});
  b = &start("b", {"a:7946"});
  settle();
  CHECK(a->dialed.size() == 1);
  CHECK(b->dialed.size() == 1);
  const auto links = links_between(*a, *b);
  REQUIRE(links.size() == 1);
  CHECK(links.front()->ends[0].of == a);
  pass(3s);
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(seen(*b) == "a alive, b alive");
  CHECK(view(*a, "b").problem.empty());
  CHECK(view(*b, "a").problem.empty());
  CHECK(view(*a, "b").in_state >= 2s);
  const auto before = total();
  pass(1min);
  CHECK(links_between(*a, *b) == links);
  CHECK((total() - before).dials == 0);
}

TEST_CASE_METHOD(cluster, "two that hear of each other keep one link",
                 "[cluster]") {
  a = &begin("a");
  b = &start("b", {"a:7946"});
  c = &start("c", {"a:7946"});
  settle();
  // b hears of c by digest, c of b by a's answer; let both dial at once.
  pass(5s);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
  CHECK(links_between(*b, *c).size() == 1);
  const auto before = total();
  pass(1min);
  CHECK((total() - before).dials == 0);
}

TEST_CASE_METHOD(cluster, "who is linked is nobody's missing seed",
                 "[cluster]") {
  const std::vector<std::string> all{"a:7946", "b:7946", "c:7946"};
  a = &start("a", all);
  b = &start("b", all);
  c = &start("c", all);
  pass(1min);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
  const auto before = total();
  pass(10min, 100ms);
  CHECK((total() - before).dials == 0);
}

TEST_CASE_METHOD(cluster, "a seed that has come by itself is not dialed again",
                 "[cluster]") {
  a = &begin("a");
  c = &start("c", {"a:7946", "b:7946"});
  pass(5min, 100ms);
  CHECK(seen(*c) == "a alive, c alive");
  b = &begin("b"); // It dials c before c dials it.
  pass(1min);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
  const auto before = total();
  pass(10min, 100ms);
  CHECK((total() - before).dials == 0);
}

TEST_CASE_METHOD(cluster, "a node does not join itself", "[cluster]") {
  a = &start("a", {"a:7946"});
  pass(1min);
  CHECK(a->dialed.empty());
  CHECK(seen(*a) == "a alive");
}

TEST_CASE_METHOD(cluster, "a node finds itself under another name once",
                 "[cluster]") {
  usual.address = "a.example.org:7946";
  a = &start("a", {"a:7946"});
  pass(10min, 100ms);
  CHECK(a->dialed.size() == 1);
  CHECK(seen(*a) == "a alive");
}

TEST_CASE_METHOD(cluster, "a join needs the token of its greeting",
                 "[cluster]") {
  a = &begin("a");
  const auto token = greet(*a, greeting_of("x"));
  const auto x = member_called("x");
  const auto wrong = refused<msg::members>(*a, msg::join{"guessed", x});
  CHECK(wrong.code == fault::denied);
  CHECK(wrong.what == "nobody was greeted with that token");
  CHECK(refused<msg::members>(*a, msg::join{"", x}).code == fault::denied);
  CHECK(refused<msg::members>(*a, msg::join{token, member_called("y")}).code
        == fault::denied);
  CHECK(seen(*a) == "a alive, x suspect");
  CHECK(ask<msg::members>(*a, msg::join{token, x}).all.size() == 1);
  CHECK(seen(*a) == "a alive, x alive");
  CHECK(refused<msg::members>(*a, msg::join{token, x}).code == fault::denied);
}

TEST_CASE_METHOD(cluster, "who is new is told of once", "[cluster]") {
  begin_three();
  const auto before = total();
  begin("d");
  pass(2s);
  // d says who it is to each, and each to d; a tells b and c, and gives d the
  // list that it asks for.
  const auto sent = total() - before;
  CHECK(sent.joins == 3);
  CHECK(sent.exchanges == 1);
  CHECK(sent.records < 20);
}

TEST_CASE_METHOD(cluster, "a drain is told once to each", "[cluster]") {
  begin_three();
  const auto before = total();
  ask<msg::done>(*a, msg::drain{true});
  CHECK((total() - before).records == 2);
  CHECK(view(*b, "a").is.draining);
  CHECK(view(*c, "a").is.draining);
}

// -- names --------------------------------------------------------------------

TEST_CASE_METHOD(cluster,
                 "a name that is taken is refused while its node lives",
                 "[cluster]") {
  begin_two();
  auto& other = start("b", {"a:7946"}, "elsewhere:7946");
  pass(1min);
  CHECK(seen(other) == "b alive");
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(view(*a, "b").is.address == "b:7946");
  CHECK(view(*a, "b").is.incarnation == b->incarnation);
  CHECK(view(*a, "b").in_state >= 1min);
  kill(*b);
  CHECK(pass_until([&] { return seen(other) == "a alive, b alive"; }, 2min)
        <= longest_pause + heartbeat);
  CHECK(view(*a, "b").is.address == "elsewhere:7946");
  CHECK(view(*a, "b").is.incarnation == other.incarnation);
}

TEST_CASE_METHOD(cluster, "a node that starts again replaces itself",
                 "[cluster]") {
  begin_three();
  kill(*b);
  CHECK(seen(*a) == "a alive, b suspect, c alive");
  auto& again = begin("b");
  pass(2 * heartbeat);
  for (const auto* each : {a, &again, c}) {
    CHECK(seen(*each) == "a alive, b alive, c alive");
    CHECK(view(*each, "b").is.incarnation == again.incarnation);
  }
}

TEST_CASE_METHOD(cluster,
                 "a node that starts again elsewhere is taken in, "
                 "though its old link hangs",
                 "[cluster]") {
  begin_three();
  // Both ways round: with the smaller name and with the larger one, and seen
  // by one that has dialed it and by one that was dialed.
  for (auto** each : {&a, &c}) {
    const auto name = (*each)->name;
    crash(**each);
    auto& again = start(name, {"b:7946"}, name + "-new:7946");
    *each = &again;
    INFO(name);
    const auto took = pass_until(
      [&] {
        return links_between(*b, again).size() == 1
               && seen(*b) == "a alive, b alive, c alive";
      },
      1min);
    // Taken as soon as the old one is suspect, and at the next dial.
    CHECK(took <= suspect_after + 2s + heartbeat);
    pass(longest_pause);
    for (const auto* one : {a, b, c})
      CHECK(seen(*one) == "a alive, b alive, c alive");
  }
}

TEST_CASE_METHOD(cluster, "a node whose clock was set back is taken in",
                 "[cluster]") {
  begin_three();
  kill(*b);
  next_incarnation = 500;
  auto& again = begin("b");
  pass(5 * heartbeat);
  const auto before = total();
  for (auto i = 0; i < 30; ++i) {
    pass(1s);
    for (const auto* each : {a, &again, c})
      REQUIRE(seen(*each) == "a alive, b alive, c alive");
  }
  CHECK((total() - before).exchanges == 0);
}

TEST_CASE_METHOD(cluster, "another node at a known address is not taken for it",
                 "[cluster]") {
  begin_two();
  kill(*b);
  auto& other = start("other", {"a:7946"}, "b:7946");
  pass(10s);
  CHECK(seen(*a) == "a alive, b down, other alive");
  CHECK(seen(other) == "a alive, b down, other alive");
  CHECK(view(*a, "b").problem == "expected b, found other");
}

// -- leaving ------------------------------------------------------------------

TEST_CASE_METHOD(cluster, "who leaves is not dialed again", "[cluster]") {
  begin_three();
  leave(*b);
  CHECK(seen(*a) == "a alive, b left, c alive");
  CHECK(seen(*c) == "a alive, b left, c alive");
  const auto dials = total().dials;
  pass(5min, 100ms);
  CHECK(total().dials == dials);
  CHECK(seen(*a) == "a alive, b left, c alive");

  SECTION("and is welcome again") {
    auto& again = begin("b");
    pass(2 * heartbeat);
    for (const auto* each : {a, &again, c})
      CHECK(seen(*each) == "a alive, b alive, c alive");
  }
}

TEST_CASE_METHOD(cluster, "who has missed a goodbye hears of it", "[cluster]") {
  begin_three();
  part({c});
  leave(*b);
  CHECK(seen(*a) == "a alive, b left, c alive");
  CHECK(seen(*c) == "a alive, b alive, c alive");
  heal();
  pass(3 * heartbeat);
  CHECK(seen(*c) == "a alive, b left, c alive");
}

TEST_CASE_METHOD(cluster, "who has left is forgotten after a day",
                 "[cluster]") {
  constexpr auto almost_a_day = 24h - 8s;
  begin_three();
  auto gone = member_called("x");
  gone.left = true;
  gone.left_for = almost_a_day;
  self->send(a->actor, gone);
  settle();
  CHECK(seen(*a) == "a alive, b alive, c alive, x left");
  // It was told to nobody else, so it comes with the lists, and its age, too.
  pass(4 * heartbeat);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive, x left");
  pass(5 * heartbeat);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
  const auto before = total();
  pass(1min);
  CHECK((total() - before).exchanges == 0);
  gone.left_for = 24h;
  self->send(a->actor, gone);
  settle();
  CHECK(seen(*a) == "a alive, b alive, c alive");
}

// -- removing -----------------------------------------------------------------

TEST_CASE_METHOD(cluster, "who is down is removed everywhere", "[cluster]") {
  begin_three();
  kill(*c);
  pass(10s);
  REQUIRE(seen(*b) == "a alive, b alive, c down");
  const auto before = total();
  ask<msg::done>(*a, msg::remove_node{"c"});
  CHECK((total() - before).records == 1);
  for (const auto* each : {a, b}) {
    CHECK(seen(*each) == "a alive, b alive");
    CHECK(not_found(*each, "c").what == "no node 'c'");
  }
  CHECK(refused<msg::done>(*b, msg::remove_node{"c"}).code == fault::not_found);
  const auto quiet = total();
  pass(1min);
  CHECK((total() - quiet).dials == 0);
  CHECK((total() - quiet).exchanges == 0);

  SECTION("one that joins later does not hear of it") {
    auto& d = begin("d");
    pass(2 * heartbeat);
    CHECK(seen(d) == "a alive, b alive, d alive");
    CHECK(dials_to(d, "c:7946") == 0);
  }
  SECTION("and is back when it starts again") {
    auto& again = begin("c");
    pass(2 * heartbeat);
    for (const auto* each : {a, b, &again})
      CHECK(seen(*each) == "a alive, b alive, c alive");
  }
}

TEST_CASE_METHOD(cluster, "who has left can be removed", "[cluster]") {
  begin_three();
  leave(*c);
  ask<msg::done>(*a, msg::remove_node{"c"});
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(seen(*b) == "a alive, b alive");
}

TEST_CASE_METHOD(cluster, "who lives is not removed", "[cluster]") {
  begin_three();
  const auto alive = refused<msg::done>(*a, msg::remove_node{"b"});
  CHECK(alive.code == fault::wrong_state);
  CHECK(alive.what
        == "node b is alive: only one that is down or has left can be removed");
  CHECK(refused<msg::done>(*a, msg::remove_node{"a"}).what
        == "node a is the one that was asked");
  CHECK(refused<msg::done>(*a, msg::remove_node{"x"}).what == "no node 'x'");
  kill(*b);
  CHECK(refused<msg::done>(*a, msg::remove_node{"b"}).what
        == "node b is suspect: only one that is down or has left can be "
           "removed");
}

TEST_CASE_METHOD(cluster, "who was removed and lives comes back", "[cluster]") {
  begin_three();
  part({c});
  pass(15s);
  REQUIRE(seen(*a) == "a alive, b alive, c down");
  const auto all_alive = [this] {
    return std::ranges::all_of(std::array{a, b, c}, [this](const auto* each) {
      return seen(*each) == "a alive, b alive, c alive";
    });
  };
  auto most = longest_pause + 2 * heartbeat;
  SECTION("by itself") {
    ask<msg::done>(*a, msg::remove_node{"c"});
  }
  SECTION("though it has news of its own, as late as that of its end") {
    ask<msg::done>(*a, msg::remove_node{"c"});
    ask<msg::done>(*c, msg::drain{true});
  }
  SECTION("when it is dialed as a seed, though both have removed each other") {
    ask<msg::done>(*a, msg::remove_node{"c"});
    ask<msg::done>(*c, msg::remove_node{"a"});
    ask<msg::done>(*c, msg::remove_node{"b"});
    most = 2min; // It has been dialing a as its seed for a while.
  }
  pass(5s);
  CHECK(seen(*b) == "a alive, b alive");
  heal();
  CHECK(pass_until(all_alive, 3min) <= most);
  CHECK(links_between(*a, *c).size() == 1);
  CHECK(links_between(*b, *c).size() == 1);
  pass(3 * heartbeat); // What was missed.
  const auto before = total();
  pass(1min);
  CHECK(all_alive());
  CHECK((total() - before).exchanges == 0);
  CHECK((total() - before).dials == 0);
}

TEST_CASE_METHOD(cluster, "a seed that was removed and lives comes back",
                 "[cluster]") {
  a = &start("a", {"c:7946"});
  c = &start("c");
  pass(2 * heartbeat);
  REQUIRE(seen(*a) == "a alive, c alive");
  hang(*c);
  pass(15s);
  ask<msg::done>(*a, msg::remove_node{"c"});
  CHECK(seen(*a) == "a alive");
  go_on(*c);
  CHECK(pass_until([&] { return seen(*a) == "a alive, c alive"; }, 2min)
        <= longest_pause + 2 * heartbeat);
  pass(1min);
  CHECK(seen(*a) == "a alive, c alive");
  CHECK(seen(*c) == "a alive, c alive");
}

TEST_CASE_METHOD(cluster, "who leaves while it is removed is removed",
                 "[cluster]") {
  begin_three();
  auto removed = view(*a, "c").is;
  ++removed.revision;
  removed.left = true;
  auto left = removed;
  removed.removed = true;
  part({c}); // It says nothing itself.
  SECTION("the one first") {
    self->send(a->actor, removed);
    self->send(b->actor, left);
  }
  SECTION("the other first") {
    self->send(a->actor, left);
    self->send(b->actor, removed);
  }
  pass(5 * heartbeat);
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(seen(*b) == "a alive, b alive");
}

TEST_CASE_METHOD(cluster, "who is removed behind one node's back comes back",
                 "[cluster]") {
  begin_three();
  // a has lost c, and b has not.
  auto gone = view(*a, "c").is;
  gone.left = gone.removed = true;
  ++gone.revision;
  self->send(b->actor, gone);
  settle();
  CHECK(seen(*b) == "a alive, b alive");
  pass(5 * heartbeat);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
}

TEST_CASE_METHOD(cluster, "who leaves does not wait for who hangs",
                 "[cluster]") {
  begin_three();
  hang(*c);
  pass(500ms);
  const auto dials = b->dialed.size();
  leave(*b);
  CHECK(has_ended(*b));
  CHECK(b->dialed.size() == dials);
  CHECK(seen(*a) == "a alive, b left, c alive");
  go_on(*c);
  pass(3 * heartbeat);
  CHECK(seen(*c) == "a alive, b left, c alive");
}

TEST_CASE_METHOD(cluster, "a node does not end because another says so",
                 "[cluster]") {
  begin_two();
  const auto wire = caf::actor_cast<caf::actor_addr>(found(*a, "b").node);
  caf::anon_send(caf::actor_cast<caf::actor>(a->actor),
                 caf::exit_msg{wire, caf::exit_reason::user_shutdown});
  pass(2 * heartbeat);
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(seen(*b) == "a alive, b alive");
}

// -- silence ------------------------------------------------------------------

TEST_CASE_METHOD(cluster, "silence makes suspect, and then down, in time",
                 "[cluster]") {
  begin_two();
  pass(2 * heartbeat);
  // Both beat at the same moment, and have just done so.
  part({b});
  pass(suspect_after - 10ms);
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(found(*a, "b").node);
  pass(10ms);
  CHECK(seen(*a) == "a alive, b suspect");
  CHECK(seen(*b) == "a suspect, b alive");
  pass(down_after - suspect_after - 10ms);
  CHECK(seen(*a) == "a alive, b suspect");
  CHECK(view(*a, "b").in_state == down_after - suspect_after - 10ms);
  pass(10ms);
  CHECK(seen(*a) == "a alive, b down");
  CHECK(seen(*b) == "a down, b alive");
  CHECK(view(*a, "b").problem == "it is silent");
  CHECK(links_between(*a, *b).empty());
}

TEST_CASE_METHOD(cluster, "silence is noticed at the next beat", "[cluster]") {
  a = &begin("a");
  pass(400ms);
  b = &begin("b");
  pass(2 * heartbeat);
  part({b}); // a's beat was 400 ms ago, and b's is now.
  pass(suspect_after + 600ms - 10ms);
  CHECK(seen(*a) == "a alive, b alive");
  pass(10ms);
  CHECK(seen(*a) == "a alive, b suspect");
  pass(down_after - suspect_after);
  CHECK(seen(*a) == "a alive, b down");
}

TEST_CASE_METHOD(cluster, "a short silence is forgiven", "[cluster]") {
  begin_two();
  pass(2 * heartbeat);
  const auto links = links_between(*a, *b);
  part({b});
  pass(5s);
  CHECK(seen(*a) == "a alive, b suspect");
  heal();
  pass(heartbeat);
  CHECK(seen(*a) == "a alive, b alive");
  CHECK(seen(*b) == "a alive, b alive");
  CHECK(links_between(*a, *b) == links);
  CHECK(total().dials == 1);
}

TEST_CASE_METHOD(cluster,
                 "a heartbeat of an old incarnation is no sign of life",
                 "[cluster]") {
  begin_two();
  pass(2 * heartbeat);
  part({b});
  const auto beats = [&](std::uint64_t incarnation) {
    msg::node_heartbeat x;
    x.name = "b";
    x.incarnation = incarnation;
    self->send(a->actor, x);
  };
  for (auto i = 0; i < 8; ++i) {
    beats(b->incarnation - 1);
    pass(heartbeat);
  }
  CHECK(seen(*a) == "a alive, b down");
}

TEST_CASE_METHOD(cluster, "a heartbeat of a stranger changes nothing",
                 "[cluster]") {
  a = &begin("a");
  msg::node_heartbeat x;
  x.name = "nobody";
  x.digest = 77;
  self->send(a->actor, x);
  pass(2 * heartbeat);
  CHECK(seen(*a) == "a alive");
  CHECK(total().exchanges == 0);
}

// -- who hangs ----------------------------------------------------------------

TEST_CASE_METHOD(cluster, "who hangs is missed, and blames nobody",
                 "[cluster]") {
  begin_three();
  hang(*b);
  pass(5s);
  CHECK(seen(*a) == "a alive, b suspect, c alive");
  go_on(*b);
  settle();
  CHECK(seen(*b) == "a alive, b alive, c alive");
  CHECK(view(*b, "a").in_state >= 5s);
  CHECK(view(*b, "c").in_state >= 5s);
  pass(heartbeat);
  CHECK(seen(*a) == "a alive, b alive, c alive");
  CHECK(links_between(*a, *b).size() == 1);
}

TEST_CASE_METHOD(cluster, "who has hung for long is found again", "[cluster]") {
  begin_three();
  hang(*b);
  pass(1min);
  CHECK(seen(*a) == "a alive, b down, c alive");
  CHECK(seen(*c) == "a alive, b down, c alive");
  go_on(*b);
  settle();
  // The others have closed their links meanwhile; none of them is down.
  for (const auto* each : {a, c})
    CHECK(view(*b, each->name).state != node_state::down);
  const auto took = pass_until(
    [&] {
      return seen(*a) == "a alive, b alive, c alive"
             && seen(*b) == "a alive, b alive, c alive"
             && seen(*c) == "a alive, b alive, c alive";
    },
    1min);
  CHECK(took <= 2 * heartbeat);
}

TEST_CASE_METHOD(cluster, "an absence excuses what was before it only",
                 "[cluster]") {
  a = &begin("a");
  pass(400ms);
  b = &begin("b");
  pass(2 * heartbeat + 200ms);
  // A heartbeat of a's waits for b before b's next own one is due: its last.
  hang(*b);
  pass(500ms);
  crash(*a);
  pass(1min);
  go_on(*b);
  settle();
  CHECK(seen(*b) == "a alive, b alive");
  pass(suspect_after + heartbeat);
  CHECK(seen(*b) == "a suspect, b alive");
  pass(down_after - suspect_after);
  CHECK(seen(*b) == "a down, b alive");
}

// -- who is dead --------------------------------------------------------------

TEST_CASE_METHOD(cluster, "who dies is suspect at once, and down in time",
                 "[cluster]") {
  begin_two();
  pass(2 * heartbeat);
  kill(*b);
  CHECK(seen(*a) == "a alive, b suspect");
  pass(down_after - 10ms);
  CHECK(seen(*a) == "a alive, b suspect");
  pass(10ms);
  CHECK(seen(*a) == "a alive, b down");
}

TEST_CASE_METHOD(cluster, "who is dead is dialed less and less often",
                 "[cluster]") {
  begin_two();
  kill(*b);
  pass(1min);
  const auto first_minute = dials_to(*a, "b:7946");
  // After 0.25-0.5 s, 0.5-1 s, ... 15-30 s, each rounded up to a beat.
  CHECK(first_minute >= 5);
  CHECK(first_minute <= 9);
  pass(10min, 100ms);
  const auto next_ten = dials_to(*a, "b:7946") - first_minute;
  CHECK(next_ten >= 19);
  CHECK(next_ten <= 40);
}

TEST_CASE_METHOD(cluster, "a seed that is dead is not dialed twice as often",
                 "[cluster]") {
  begin_two();
  kill(*a);
  pass(1min);
  const auto first_minute = dials_to(*b, "a:7946") - 1;
  CHECK(first_minute <= 18); // By name, and as a seed.
  pass(10min, 100ms);
  CHECK(dials_to(*b, "a:7946") - 1 - first_minute <= 80);
}

TEST_CASE_METHOD(cluster, "a node that is there again is dialed in time",
                 "[cluster]") {
  begin_three();
  kill(*b);
  pass(5min, 100ms);
  CHECK(seen(*a) == "a alive, b down, c alive");
  auto& again = start("b"); // It does not know of anybody.
  const auto took = pass_until(
    [&] {
      return seen(*a) == "a alive, b alive, c alive"
             && seen(again) == "a alive, b alive, c alive"
             && seen(*c) == "a alive, b alive, c alive";
    },
    2min);
  CHECK(took <= longest_pause + 2 * heartbeat);
}

// -- partitions ---------------------------------------------------------------

TEST_CASE_METHOD(cluster, "a partition heals", "[cluster]") {
  begin_three();
  auto& d = begin("d");
  pass(2 * heartbeat);
  const std::vector<net_node*> all{a, b, c, &d};
  part({c, &d});
  pass(30s);
  CHECK(seen(*a) == "a alive, b alive, c down, d down");
  CHECK(seen(*b) == "a alive, b alive, c down, d down");
  CHECK(seen(*c) == "a down, b down, c alive, d alive");
  CHECK(seen(d) == "a down, b down, c alive, d alive");
  heal();
  const auto took = pass_until(
    [&] {
      return std::ranges::all_of(all, [&](const net_node* each) {
        return seen(*each) == "a alive, b alive, c alive, d alive";
      });
    },
    2min);
  CHECK(took <= longest_pause + 2 * heartbeat);
  for (const auto* each : all)
    for (const auto* other : all)
      if (each != other)
        CHECK(links_between(*each, *other).size() == 1);
}

TEST_CASE_METHOD(cluster, "both halves of a partition take in new nodes",
                 "[cluster]") {
  begin_two();
  part({b});
  pass(10s);
  auto& c1 = start("c", {"a:7946"});
  auto& d1 = start("d", {"b:7946"});
  part({&d1});
  pass(2 * heartbeat);
  // Of whom they have only heard they do not say more than that.
  CHECK(seen(c1) == "a alive, b suspect, c alive");
  CHECK(seen(d1) == "a suspect, b alive, d alive");
  heal();
  const std::vector<net_node*> all{a, b, &c1, &d1};
  const auto took = pass_until(
    [&] {
      return std::ranges::all_of(all, [&](const net_node* each) {
        return seen(*each) == "a alive, b alive, c alive, d alive";
      });
    },
    2min);
  CHECK(took <= longest_pause + 3 * heartbeat);
}

// -- requests -----------------------------------------------------------------

TEST_CASE_METHOD(cluster, "nodes are found by name", "[cluster]") {
  begin_three();
  CHECK(found(*a, "a").self);
  const auto there = found(*a, "b");
  CHECK_FALSE(there.self);
  REQUIRE(there.node);
  self->send(there.node, msg::remote_call{"GET", "/v1/host", "", false, ""});
  settle();
  CHECK(b->served == std::vector<std::string>{"/v1/host"});

  const auto unknown = not_found(*a, "nobody");
  CHECK(unknown.code == fault::not_found);
  CHECK(unknown.what == "no node 'nobody'");

  kill(*b);
  const auto gone = not_found(*a, "b");
  CHECK(gone.code == fault::node_unreachable);
  CHECK(gone.what == "node b cannot be reached: the other side has closed it");
  pass(10s);
  CHECK(not_found(*a, "b").what
        == "node b cannot be reached: connect: Connection refused");

  leave(*c);
  const auto left = not_found(*a, "c");
  CHECK(left.code == fault::node_unreachable);
  CHECK(left.what == "node c cannot be reached: it has left");
}

TEST_CASE_METHOD(cluster, "nodes are listed by name, with the node itself",
                 "[cluster]") {
  b = &begin("b");
  CHECK(seen(*b) == "b alive");
  CHECK(list(*b).front().self);
  a = &start("a", {"b:7946"});
  c = &start("c", {"b:7946"});
  pass(3 * heartbeat);
  for (const auto* each : {a, b, c})
    CHECK(seen(*each) == "a alive, b alive, c alive");
}

} // namespace troupe::cluster_node_test
