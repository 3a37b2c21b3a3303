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
  stage() {
    spdlog::set_level(spdlog::level::off);
    plan.id = "web-1";
    plan.bundle = "/bundles/web";
    plan.rootfs.path = "/bundles/web/rootfs";
    plan.hostname = "web";
    plan.process.args = {"/bin/server", "-v"};
    plan.cgroup.mode = plan::cgroup_mode::v1;
    plan.annotation_keys = {"team"};
    plan.annotation_values = {"blue"};
    plan.namespaces.clone_flags = 0x20000000; // CLONE_NEWPID
    auto made = std::make_shared<services>();
    made->shim = own(spawn_shim());
    made->planner = own(spawn_planner());
    made->events = own(spawn_events());
    made->store = store::directory{root.path()};
    made->settings.launch_timeout_ms = 60'000;
    made->settings.freeze_timeout_ms = 5'000;
    made->open_control = [group = group, log = log](plan::cgroup) {
      return std::make_unique<fake_control>(group, log);
    };
    REQUIRE(made->store.prepare());
    with = made;
    store = made->store;
    settle();
  }

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

inline void stage::carry_out(const shim::request& x) {
  const auto become = [&](const std::string& key, auto change) {
    auto next = shim->records[key];
    next.key = key;
    change(next);
    record(std::move(next));
  };
  std::visit(overloaded{
               [&](const shim::launch& in) {
                 shim->last_log = in.log;
                 shim->last_target = in.target;
                 shim->records.erase(in.key);
                 become(in.key, [&](shim::record& to) {
                   to.is_exec = !in.target.empty();
                   to.state = shim::process_state::created;
                   to.pid = ++shim->next_pid;
                   to.created = now_ns();
                 });
               },
               [&](const shim::start& in) {
                 become(in.key, [](shim::record& to) {
                   to.state = shim::process_state::running;
                   to.started = now_ns();
                 });
               },
               [&](const shim::signal& in) {
                 const auto known = shim->records.find(in.key);
                 if (known == shim->records.end()
                     || !shim->deadly.contains(in.signo)
                     || group->state == cgroup::freeze_state::frozen
                     || known->second.state >= shim::process_state::exited)
                   return;
                 become(in.key, [&](shim::record& to) {
                   to.state = shim::process_state::exited;
                   to.exit_code = 128 + in.signo;
                   to.exit_signal = in.signo;
                   to.finished = now_ns();
                 });
               },
               [&](const shim::forget& in) { shim->records.erase(in.key); },
               [](const auto&) {},
             },
             x);
}

inline shim_link_actor stage::spawn_shim() {
  return system.spawn(
    [this](shim_link_actor::pointer me) -> shim_link_actor::behavior_type {
      return {
        [this, me](const msg::shim_call& x) -> caf::result<msg::shim_answer> {
          const auto verb = verb_of(x.call);
          const auto* key = shim::key_of(x.call);
          auto line = verb + (key ? " " + *key : "");
          if (const auto* sent = std::get_if<shim::signal>(&x.call))
            line += " " + std::to_string(sent->signo);
          log->push_back(std::move(line));
          if (shim->lost.contains(verb))
            return me->make_response_promise<msg::shim_answer>();
          const auto refused = shim->refusals.find(verb);
          if (refused != shim->refusals.end())
            return msg::shim_answer{refused->second};
          carry_out(x.call);
          if (!shim->held.contains(verb))
            return msg::shim_answer{};
          shim->holding.push_back(
            me->make_response_promise<msg::shim_answer>());
          return shim->holding.back();
        },
        [this, me](const msg::own_process& x) {
          shim->owners[x.key] = x.owner;
          if (const auto known = shim->records.find(x.key);
              known != shim->records.end())
            me->send(x.owner, msg::process_changed{known->second});
        },
        [this](const msg::disown_process& x) { shim->owners.erase(x.key); },
        [this, me](const msg::await_sync& x) {
          if (!shim->synced) {
            shim->listeners.push_back(x.listener);
            return;
          }
          auto all = msg::shim_synced{77, "0.1.0", {}};
          for (const auto& [key, each] : shim->records)
            all.records.push_back(each);
          me->send(x.listener, std::move(all));
        },
        [this](const msg::fd_ready&) {
          for (auto& each : std::exchange(shim->holding, {}))
            each.deliver(msg::shim_answer{});
        },
      };
    });
}

inline planner_actor stage::spawn_planner() {
  return system.spawn([this]() -> planner_actor::behavior_type {
    return {
      [this](
        const msg::compile_launch& x) -> caf::result<msg::compiled_launch> {
        log->push_back("compile " + x.id);
        if (plan_failure)
          return to_caf(*plan_failure);
        auto out = plan;
        out.id = x.id;
        return msg::compiled_launch{
          std::make_shared<const plan::launch_plan>(std::move(out)),
          R"({"ociVersion":"1.3.0"})"};
      },
      [this](const msg::compile_exec& x) -> caf::result<msg::compiled_exec> {
        log->push_back("compile_exec " + x.in->id);
        if (plan_failure)
          return to_caf(*plan_failure);
        auto out = plan::exec_plan{};
        out.id = x.in->id;
        out.session = x.session;
        out.process.args = x.args;
        return msg::compiled_exec{
          std::make_shared<const plan::exec_plan>(std::move(out))};
      },
    };
  });
}

inline event_log_actor stage::spawn_events() {
  return system.spawn(
    [this](event_log_actor::pointer me) -> event_log_actor::behavior_type {
      return {
        [this, me](
          const msg::append_events& x) -> caf::result<msg::events_committed> {
          if (events->failing)
            return to_caf(*events->failing);
          for (const auto& each : x.events)
            if (each.once.empty() || events->once.insert(each.once).second) {
              events->all.push_back(each);
              log->push_back("event " + each.type);
            }
          if (events->hold) {
            events->held = me->make_response_promise<msg::events_committed>();
            return *events->held;
          }
          return msg::events_committed{
            static_cast<std::int64_t>(events->all.size())};
        },
        [this](const msg::read_events&) -> caf::result<msg::events> {
          auto out = msg::events{};
          out.last_seq = static_cast<std::int64_t>(events->all.size());
          return out;
        },
        [](const msg::subscribe_events&) {},
        [this](const msg::deadline&) {
          if (auto each = std::exchange(events->held, std::nullopt))
            each->deliver(msg::events_committed{
              static_cast<std::int64_t>(events->all.size())});
        },
      };
    });
}

} // namespace troupe::test
