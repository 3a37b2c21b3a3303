#pragma once

#include "tests/support/scratch_directory.hpp"
#include "tests/unit/actors/fakes.hpp"

#include <caf/actor_cast.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test {

/// What container actors stand on, made of memory: the shim, the planner, the
/// event log and a cgroup. They do what the real ones promise, at once, unless
/// the test tells them otherwise, and write one log of everything in its order.
class stage : public deterministic {
protected:
  stage();

  ~stage() {
    end_actors();
  }

  /// As `deterministic::own`, but before anything that they use is gone.
  template <class Handle>
  Handle own(Handle x) {
    cast_.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  void end_actors() {
    for (auto& each : std::exchange(cast_, {}))
      caf::anon_send_exit(each, caf::exit_reason::kill);
    settle();
  }

  // -- what the shim does by itself -------------------------------------------

  /// Changes a record, and tells its owner.
  void record(shim::record x) {
    const auto key = x.key;
    shim->records[key] = x;
    if (const auto owner = shim->owners.find(key); owner != shim->owners.end())
      self->send(owner->second, msg::process_changed{std::move(x)});
  }

  void exits(const std::string& key, std::int32_t code,
             std::int32_t signal = 0) {
    auto x = shim->records[key];
    x.key = key;
    x.state = shim::process_state::exited;
    x.exit_code = code;
    x.exit_signal = signal;
    x.finished = now_ns();
    record(std::move(x));
    settle();
  }

  // A promise keeps where its actor last ran, which in a deterministic system
  // is gone by then: only the actor itself may deliver it.

  /// Makes the shim send the replies that were held back.
  void release() {
    shim->held.clear();
    caf::anon_send(with->shim, msg::fd_ready{});
    settle();
  }

  /// Makes the event log commit what was held back.
  void commit() {
    caf::anon_send(with->events, msg::deadline{});
    settle();
  }

  // -- what tests look at -----------------------------------------------------

  [[nodiscard]] std::vector<std::string> event_types() const {
    std::vector<std::string> out;
    for (const auto& each : events->all)
      out.push_back(each.type);
    return out;
  }

  [[nodiscard]] std::string event_data(const std::string& type) const {
    for (const auto& each : events->all)
      if (each.type == type)
        return each.data;
    return {};
  }

  [[nodiscard]] bool logged(const std::string& what) const {
    return std::find(log->begin(), log->end(), what) != log->end();
  }

  [[nodiscard]] std::ptrdiff_t times_logged(const std::string& what) const {
    return std::count(log->begin(), log->end(), what);
  }

  [[nodiscard]] bool on_disk(const std::string& id) const {
    const auto found = store.load();
    REQUIRE(found);
    return std::any_of(found->begin(), found->end(),
                       [&](const auto& each) { return each.id == id; });
  }

  [[nodiscard]] std::string status_on_disk(const std::string& id) const {
    const auto found = store.load();
    REQUIRE(found);
    for (const auto& each : *found)
      if (each.id == id)
        return each.state.status;
    return {};
  }

  scratch_directory root;
  plan::launch_plan plan; ///< What the planner compiles next.
  std::optional<failure> plan_failure;
  std::shared_ptr<fake_log> log = std::make_shared<fake_log>();
  std::shared_ptr<fake_cgroup> group = std::make_shared<fake_cgroup>();
  std::shared_ptr<fake_shim> shim = std::make_shared<fake_shim>();
  std::shared_ptr<fake_events> events = std::make_shared<fake_events>();
  store::directory store{""};
  shared_services with;

private:
  shim_link_actor spawn_shim();
  planner_actor spawn_planner();
  event_log_actor spawn_events();
  void carry_out(const shim::request& x);

  std::vector<caf::strong_actor_ptr> cast_;
};

} // namespace troupe::test
