#include "tests/unit/actors/cluster_net.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

/// Clusters of the size that they are made for. With TROUPE_SIMULATION_TABLE
/// set, each size tells a line of the table in docs/cluster.md; with
/// TROUPE_SIMULATION_SEED, another course of events is taken.
namespace troupe::cluster_simulation_test {

namespace {

using namespace std::chrono_literals;
using msg::node_state;
using test::net_node;
using test::traffic;

constexpr auto heartbeat = 1s;
constexpr auto down_after = 8s;
constexpr auto handshake_patience = 5s;
constexpr auto longest_pause = 30s; // Of a back-off.

double seconds(caf::timespan x) {
  return std::chrono::duration<double>(x).count();
}

unsigned chosen_seed() {
  const auto* given = std::getenv("TROUPE_SIMULATION_SEED");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 1;
}

/// What one size has come to.
struct row {
  caf::timespan join{};    ///< From the last start until all know all.
  traffic joining;         ///< Of all, until then.
  traffic steady;          ///< Of all, in `steady_time`.
  caf::timespan down{};    ///< From the death of a tenth.
  caf::timespan heal{};    ///< From the end of a partition.
  caf::timespan restart{}; ///< From the last restart of all, one by one.
};

class simulation : public test::cluster_net {
protected:
  static constexpr auto steady_time = 10s;

  /// The whole course, with clocks that move by `step`.
  void run(std::size_t size, caf::timespan step) {
    INFO(size << " nodes, TROUPE_SIMULATION_SEED=" << seed_);
    const auto began = std::chrono::steady_clock::now();
    step_ = step;
    start_all(size);
    rest();
    kill_a_tenth();
    part_and_heal();
    restart_all();
    tell(size, std::chrono::steady_clock::now() - began);
  }

private:
  // -- what happens -----------------------------------------------------------

  /// At random moments within two seconds, one of them the seed of all.
  void start_all(std::size_t size) {
    constexpr auto window = 2s;
    std::vector<std::int64_t> moments(size);
    std::uniform_int_distribution<std::int64_t> moment{0, window / step_};
    std::ranges::generate(moments, [&] { return moment(chance_); });
    for (auto now = std::int64_t{0}; now <= window / step_; ++now) {
      for (std::size_t i = 0; i < size; ++i)
        if (moments[i] == now)
          live_.push_back(&start(name_of(i), {name_of(0) + ":7946"}));
      pass(step_, step_);
    }
    row_.join = until_all_see_all(1min);
    CHECK(row_.join <= 8 * heartbeat);
    row_.joining = total();
    // Digests of before are heard of until the next beat.
    pass(2 * heartbeat, step_);
  }

  void rest() {
    const auto before = total();
    pass(steady_time, step_);
    const auto sent = row_.steady = total() - before;
    const auto pairs = live_.size() * (live_.size() - 1);
    CHECK(sent.heartbeats == pairs * (steady_time / heartbeat));
    CHECK(sent.exchanges == 0);
    CHECK(sent.joins == 0);
    CHECK(sent.dials == 0);
  }

  void kill_a_tenth() {
    std::ranges::shuffle(live_, chance_);
    for (auto left = live_.size() / 10; left > 0; --left) {
      dead_.insert(live_.back()->name);
      kill(*live_.back());
      live_.pop_back();
    }
    row_.down = until(
      [&](const msg::node_view& x) {
        return x.state == node_state::down || !dead_.contains(x.is.name);
      },
      1min);
    CHECK(row_.down <= down_after + heartbeat);
    CHECK(row_.down >= down_after - heartbeat);
    nobody_was_suspected(row_.down, [](const auto&...) { return true; });
    for (const auto& each : dead_)
      live_.push_back(&start(each, {live_.front()->address}));
    dead_.clear();
    CHECK(until_all_see_all(1min) <= 8 * heartbeat);
  }

  void part_and_heal() {
    constexpr auto time = 30s;
    const auto half = live_.begin()
                      + static_cast<std::ptrdiff_t>(live_.size() / 2);
    pass(2 * heartbeat, step_);
    part({live_.begin(), half});
    pass(time, step_);
    nobody_was_suspected(time, [](const net_node& a, const net_node& b) {
      return a.side == b.side;
    });
    const auto is_down = [](const msg::node_view& x) {
      return x.state == node_state::down;
    };
    for (const auto* each : live_)
      CHECK(std::ranges::count_if(list(*each), is_down)
            == std::ranges::count_if(live_, [&](const net_node* other) {
                 return other->side != each->side;
               }));
    heal();
    row_.heal = until_all_see_all(2min);
    CHECK(row_.heal <= handshake_patience + longest_pause + 2 * heartbeat);
  }

  /// The next one when the last one is back.
  void restart_all() {
    constexpr auto pause = 300ms;
    for (auto& each : live_) {
      const auto& other = each == live_.front() ? *live_.back()
                                                : *live_.front();
      kill(*each);
      each = &start(each->name, {other.address});
      pass(pause, step_);
    }
    row_.restart = until_all_see_all(1min);
    CHECK(row_.restart <= 8 * heartbeat);
    for (const auto* each : live_)
      for (const auto& node : list(*each))
        CHECK(node.is.incarnation > 1'000 + live_.size());
  }

  // -- what comes of it -------------------------------------------------------

  /// Passes time until every node says `right` of every other one.
  template <class Right>
  caf::timespan until(Right right, caf::timespan most) {
    auto pending = live_;
    const auto is_content = [&](const net_node* node) {
      const auto all = list(*node);
      return all.size() == live_.size() + dead_.size()
             && std::ranges::all_of(all, right);
    };
    const auto took = pass_until(
      [&] {
        while (!pending.empty() && is_content(pending.back()))
          pending.pop_back();
        return pending.empty();
      },
      most, step_);
    CHECK(std::ranges::all_of(live_, is_content));
    return took;
  }

  caf::timespan until_all_see_all(caf::timespan most) {
    return until(
      [](const msg::node_view& x) { return x.state == node_state::alive; },
      most);
  }

  /// In the last `time`, of those that live and of which `concerns` is true.
  template <class Concerns>
  void nobody_was_suspected(caf::timespan time, Concerns concerns) {
    std::map<std::string, const net_node*> by_name;
    for (const auto* each : live_)
      by_name[each->name] = each;
    std::size_t suspected = 0;
    for (const auto* each : live_)
      for (const auto& node : list(*each)) {
        const auto of = by_name.find(node.is.name);
        if (!node.self && of != by_name.end() && concerns(*each, *of->second)
            && (node.state != node_state::alive || node.in_state < time))
          ++suspected;
      }
    CHECK(suspected == 0);
  }

  void tell(std::size_t size, std::chrono::steady_clock::duration wall) const {
    if (!std::getenv("TROUPE_SIMULATION_TABLE"))
      return;
    const auto each = static_cast<double>(size);
    const auto each_second = each * seconds(steady_time);
    std::fprintf(
      stderr,
      "| %5zu | %5.2f s | %6.1f | %6.1f | %8.0f | %6.1f | %4.1f | %5.2f s "
      "| %5.2f s | %5.2f s | wall %.1f s\n",
      size, seconds(row_.join), static_cast<double>(row_.joining.dials) / each,
      static_cast<double>(row_.joining.exchanges) / each,
      static_cast<double>(row_.joining.records) / each,
      static_cast<double>(row_.steady.heartbeats) / each_second,
      static_cast<double>(row_.steady.exchanges) / each_second,
      seconds(row_.down), seconds(row_.heal), seconds(row_.restart),
      seconds(wall));
  }

  static std::string name_of(std::size_t i) {
    return "n" + std::to_string(i);
  }

  unsigned seed_ = chosen_seed();
  std::mt19937 chance_{seed_};
  caf::timespan step_{};
  std::vector<net_node*> live_;
  std::set<std::string> dead_;
  row row_;
};

} // namespace

TEST_CASE_METHOD(simulation, "a cluster of 10", "[cluster][simulation]") {
  run(10, 10ms);
}

TEST_CASE_METHOD(simulation, "a cluster of 50", "[cluster][simulation]") {
  run(50, 50ms);
}

TEST_CASE_METHOD(simulation, "a cluster of 100",
                 "[.][heavy][cluster][simulation]") {
  run(100, 100ms);
}

TEST_CASE_METHOD(simulation, "a cluster of 200",
                 "[.][heavy][cluster][simulation]") {
  run(200, 100ms);
}

} // namespace troupe::cluster_simulation_test
