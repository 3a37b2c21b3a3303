#include "actors/launch_gate.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace troupe::launch_gate_test {

namespace {

const auto nobody = [] {};

} // namespace

TEST_CASE("turns come in the order of the line", "[launch_gate]") {
  launch_gate gate{1, 2};
  std::vector<int> called;
  const auto enter = [&](int who) {
    return gate.enter([&called, who] { called.push_back(who); });
  };
  auto first = enter(1).value();
  CHECK(first.has_come());
  auto second = enter(2).value();
  auto third = enter(3).value();
  CHECK_FALSE(second.has_come());
  CHECK(second.before() == 0);
  CHECK(third.before() == 1);

  const auto fourth = enter(4);
  REQUIRE_FALSE(fourth);
  CHECK(fourth.error().code == fault::exhausted);
  CHECK(fourth.error().what == "2 launches wait already; try again later");

  first.leave();
  CHECK(called == std::vector{2});
  CHECK(second.has_come());
  CHECK(third.before() == 0);
  first.leave();
  CHECK_FALSE(third.has_come());
  second = {};
  CHECK(called == std::vector{2, 3});
  third.leave();
  CHECK(enter(5).value().has_come());
  CHECK(called == std::vector{2, 3});
}

TEST_CASE("whoever leaves the line is not called", "[launch_gate]") {
  launch_gate gate{2, 9};
  const auto a = gate.enter(nobody).value();
  auto b = gate.enter(nobody).value();
  auto called = 0;
  std::optional impatient = gate.enter([&] { called += 1; }).value();
  const auto last = gate.enter([&] { called += 10; }).value();
  CHECK(last.before() == 1);
  impatient.reset();
  CHECK(last.before() == 0);
  b.leave();
  CHECK(called == 10);
  CHECK(last.has_come());
}

TEST_CASE("a line of none refuses at once", "[launch_gate]") {
  launch_gate gate{0, 0}; // One runs in any case.
  const auto only = gate.enter(nobody).value();
  CHECK(only.has_come());
  CHECK_FALSE(gate.enter(nobody));
}

TEST_CASE("never more at once than may, from many threads", "[launch_gate]") {
  launch_gate gate{3, 1000};
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (auto i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (auto round = 0; round < 200; ++round) {
        // The turn has come before that is told, and may be over by then.
        const auto called = std::make_shared<std::atomic<bool>>(false);
        auto mine = gate
                      .enter([called] {
                        *called = true;
                        called->notify_one();
                      })
                      .value();
        if (!mine.has_come())
          called->wait(false);
        const auto now = ++running;
        for (auto seen = most.load();
             now > seen && !most.compare_exchange_weak(seen, now);)
          continue;
        --running;
        ++done;
      }
    });
  for (auto& each : threads)
    each.join();
  CHECK(done == 1600);
  CHECK(most <= 3);
}

} // namespace troupe::launch_gate_test
