#pragma once

#include "actors/errors.hpp"
#include "actors/system_config.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// An actor system without threads and without a wall clock: messages move
/// only when the test says so, and time passes only when the test says so.
///
/// Actors that set themselves deadlines must be handed to `own`: the system's
/// end lets every deadline fall due until none is left, and would never return.
class deterministic {
protected:
  deterministic() : system(testing(config)), self(system, true) {
    // At the clock's zero, a deadline "an hour ago" would underflow.
    scheduler().clock().current_time += std::chrono::hours{1};
  }

  ~deterministic() {
    kill_owned();
  }

  deterministic(const deterministic&) = delete;
  deterministic& operator=(const deterministic&) = delete;

  /// Kills `x` at the end of the test.
  template <class Handle>
  Handle own(Handle x) {
    owned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  /// Kills them now: in the destructor of a fixture whose members they use.
  void kill_owned() {
    for (auto& x : std::exchange(owned_, {}))
      caf::anon_send_exit(x, caf::exit_reason::kill);
    settle();
  }

  /// Delivers messages until every mailbox is empty. Returns how many.
  std::size_t settle() {
    std::size_t delivered = 0;
    while (scheduler().try_run_once())
      ++delivered;
    return delivered;
  }

  /// Lets `time` pass in steps, delivering whatever falls due on the way, so
  /// that a deadline set by a deadline fires at its own time.
  void pass(caf::timespan time,
            caf::timespan step = std::chrono::milliseconds{10}) {
    settle();
    while (time.count() > 0) {
      const auto now = std::min(time, step);
      scheduler().advance_time(now);
      settle();
      time -= now;
    }
  }

  /// Sends a request, settles, and returns the reply; fails the test on an
  /// error, and if there is no answer yet.
  template <class Reply, class Actor, class Message>
  Reply ask(const Actor& whom, Message request) {
    return taken<Reply>(send(whom, std::move(request)));
  }

  /// Sends a request, settles, and returns the failure; fails the test on a
  /// reply, and if there is no answer yet.
  template <class Reply, class Actor, class Message>
  failure refused(const Actor& whom, Message request) {
    return refusal<Reply>(send(whom, std::move(request)));
  }

  /// Sends a request and settles; `taken` or `refusal` fetch the answer later.
  template <class Actor, class Message>
  auto send(const Actor& whom, Message request) {
    auto handle = self->request(whom, caf::infinite, std::move(request));
    settle();
    return handle;
  }

  /// The reply to `handle`, which must be there.
  template <class Reply, class Handle>
  Reply taken(Handle&& handle) {
    REQUIRE(self->has_next_message());
    std::optional<Reply> reply;
    std::forward<Handle>(handle).receive(
      [&](Reply& x) { reply = std::move(x); },
      [&](const caf::error& why) { FAIL(system.render(why)); });
    return *std::move(reply);
  }

  /// The failure in answer to `handle`, which must be there.
  template <class Reply, class Handle>
  failure refusal(Handle&& handle) {
    REQUIRE(self->has_next_message());
    failure why;
    std::forward<Handle>(handle).receive(
      [](const Reply&) { FAIL("expected a refusal, got a reply"); },
      [&](const caf::error& x) { why = from_caf(x); });
    return why;
  }

  /// Whether an answer (or any other message) waits for the test.
  [[nodiscard]] bool answered() {
    return self->has_next_message();
  }

  /// Sends a message that has no reply, and settles.
  template <class Actor, class Message>
  void tell(const Actor& whom, Message fact) {
    self->send(whom, std::move(fact));
    settle();
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  }

  system_config config;
  caf::actor_system system;
  caf::scoped_actor self;

private:
  static system_config& testing(system_config& x) {
    x.set("scheduler.policy", caf::atom("testing"));
    return x;
  }

  std::vector<caf::strong_actor_ptr> owned_;
};

} // namespace troupe::test
