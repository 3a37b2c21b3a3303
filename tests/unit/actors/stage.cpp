#include "tests/unit/actors/stage.hpp"

// Apart from the header, because each spawn of an actor takes the compiler
// seconds.
namespace troupe::test {

stage::stage() {
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
  settings usual;
  usual.launch_timeout_ms = 60'000;
  usual.freeze_timeout_ms = 5'000;
  made->settings.replace(usual);
  made->open_control = [group = group, log = log](plan::cgroup) {
    return std::make_unique<fake_control>(group, log);
  };
  REQUIRE(made->store.prepare());
  with = made;
  store = made->store;
  settle();
}

void stage::carry_out(const shim::request& x) {
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

shim_link_actor stage::spawn_shim() {
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
          auto all = msg::shim_synced{77, "0.1.0", 1, {}};
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

planner_actor stage::spawn_planner() {
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
          std::make_shared<const std::string>(R"({"ociVersion":"1.3.0"})")};
      },
      [this](const msg::compile_exec& x) -> caf::result<msg::compiled_exec> {
        log->push_back("compile_exec " + x.in->id);
        if (plan_failure)
          return to_caf(*plan_failure);
        auto out = plan::exec_plan{};
        out.id = x.in->id;
        out.session = x.session;
        out.process.args = x.what.args;
        return msg::compiled_exec{
          std::make_shared<const plan::exec_plan>(std::move(out))};
      },
      [](const msg::copy_program& x) -> caf::result<msg::program> {
        return to_caf({fault::not_found, ENOENT, "open " + x.path});
      },
    };
  });
}

event_log_actor stage::spawn_events() {
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
        [this](const msg::find_told& x) {
          msg::told out;
          for (const auto& each : x.once)
            if (events->once.contains(each))
              out.once.push_back(each);
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
