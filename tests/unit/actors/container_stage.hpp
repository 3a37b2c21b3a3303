#pragma once

#include "actors/container.hpp"
#include "tests/unit/actors/stage.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// One container, "web-1", under a supervisor that only listens.
class container_stage : public stage {
protected:
  using status = lifecycle::status;

  container_stage() {
    supervisor = own(spawn_supervisor());
  }

  ~container_stage() {
    end_actors();
  }

  // -- into a status ----------------------------------------------------------

  void spawn() {
    auto origin = container_origin{};
    origin.id = "web-1";
    origin.supervisor = supervisor;
    subject = own(spawn_container(system, with, std::move(origin)));
    settle();
  }

  static msg::create_container request() {
    auto out = msg::create_container{};
    out.id = "web-1";
    out.bundle = "/bundles/web";
    return out;
  }

  /// A container whose launch does not end.
  void creating() {
    spawn();
    shim->lost.insert("launch");
    pending_create.emplace_back(send(subject, request()));
    shim->lost.clear();
  }

  void created(msg::create_container x = request()) {
    spawn();
    ask<msg::snapshot>(subject, std::move(x));
  }

  void running(msg::create_container x = request()) {
    created(std::move(x));
    ask<msg::snapshot>(subject, msg::start{});
  }

  void pausing() {
    running();
    group->freezes_at_once = false;
    pending_pause.emplace_back(send(subject, msg::pause{}));
  }

  void paused() {
    running();
    auto pausing = send(subject, msg::pause{});
    pass(std::chrono::milliseconds{1});
    taken<msg::snapshot>(pausing);
  }

  void stopped() {
    running();
    exits("web-1", 3);
  }

  void reach(status x) {
    switch (x) {
    case status::creating:
      return creating();
    case status::created:
      return created();
    case status::running:
      return running();
    case status::pausing:
      return pausing();
    case status::paused:
      return paused();
    case status::stopped:
      return stopped();
    default:
      FAIL("cannot be reached");
    }
  }

  // -- adoption ---------------------------------------------------------------

  /// A container of an earlier supervisor's, as its disk has it.
  store::state state_on_disk(status x) {
    auto out = store::state{};
    out.id = "web-1";
    out.status = to_string(x);
    out.bundle = "/bundles/web";
    out.created = 1'000;
    REQUIRE(store.make("web-1"));
    REQUIRE(store.write_config("web-1", "{}"));
    REQUIRE(store.write_plan(plan));
    REQUIRE(store.write_state(out));
    return out;
  }

  static shim::record record_of(shim::process_state x) {
    auto out = shim::record{};
    out.key = "web-1";
    out.state = x;
    out.pid = 42;
    out.created = 1'500;
    if (x >= shim::process_state::running)
      out.started = 2'000;
    if (x >= shim::process_state::exited)
      out.finished = 3'000;
    return out;
  }

  void adopt(store::state state, std::optional<shim::record> record) {
    auto origin = container_origin{};
    origin.id = "web-1";
    origin.supervisor = supervisor;
    origin.adopted = true;
    origin.state = std::move(state);
    origin.plan = std::make_shared<const plan::launch_plan>(plan);
    if (record) {
      shim->records[record->key] = *record;
      origin.has_record = true;
      origin.record = *record;
    }
    subject = own(spawn_container(system, with, std::move(origin)));
    settle();
  }

  // -- looking ----------------------------------------------------------------

  msg::snapshot now() {
    return ask<msg::snapshot>(subject, msg::take_snapshot{});
  }

  [[nodiscard]] bool ended() {
    return !published.empty() && published.back().status == status::destroyed;
  }

  /// The statuses that were published, without repetitions.
  [[nodiscard]] std::vector<status> path() const {
    std::vector<status> out;
    for (const auto& each : published)
      if (out.empty() || out.back() != each.status)
        out.push_back(each.status);
    return out;
  }

  using pending = decltype(std::declval<caf::scoped_actor&>()->request(
    std::declval<const container_actor&>(), caf::infinite, msg::start{}));

  supervisor_actor supervisor;
  container_actor subject;
  std::vector<msg::snapshot> published;
  std::vector<pending> pending_create;
  std::vector<pending> pending_pause;

private:
  supervisor_actor spawn_supervisor();
};

} // namespace troupe::test
