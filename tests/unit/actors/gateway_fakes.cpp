#include "tests/unit/actors/gateway_fakes.hpp"

#include "actors/errors.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cerrno>
#include <limits>
#include <utility>

namespace troupe::test {

namespace {

// -- exec session -------------------------------------------------------------

struct fake_exec_state {
  fake_exec_state() = default;
  msg::exec_snapshot now;
  std::vector<exec_listener_actor> listeners;
};

exec_session_actor::behavior_type
fake_exec(exec_session_actor::stateful_pointer<fake_exec_state> self,
          shared_scene in) {
  auto& now = self->state.now;
  now.container = "web";
  now.id = "e1";
  now.status = msg::exec_status::created;
  return {
    [&now](const msg::create_exec&) { return now; },
    [&now, in](const msg::start&) {
      in->note("exec start");
      now.status = msg::exec_status::running;
      now.pid = 77;
      return now;
    },
    [&now, in, self](const msg::kill& x) {
      in->note("exec kill " + std::to_string(x.signo));
      now.status = msg::exec_status::stopped;
      now.exit_code = 128 + x.signo;
      for (const auto& each : self->state.listeners)
        self->send(each, msg::exec_exited{now});
      return now;
    },
    [&now, in](const msg::stop& x) {
      in->note("exec stop " + std::to_string(x.signo) + " "
               + std::to_string(x.grace.count()));
      return now;
    },
    [](const msg::take_output&) -> caf::result<msg::captured> {
      return to_caf({fault::not_found, 0, "it captures none"});
    },
    [](const msg::resize_terminal&) { return msg::done{}; },
    [in](const msg::attach& x) {
      in->attach(x.socket);
      in->note("exec attach");
      return msg::done{};
    },
    [&now](const msg::take_snapshot&) { return now; },
    [&now, in](const msg::remove& x) {
      in->note(x.force ? "exec remove force" : "exec remove");
      return now;
    },
    [self, in](const msg::await_exec& x) {
      self->state.listeners.push_back(x.listener);
      in->note("exec await");
    },
    [](const msg::deadline&) {},
    [](const msg::process_changed&) {},
    [](const msg::process_warned&) {},
  };
}

// -- container ----------------------------------------------------------------

struct fake_container_state {
  fake_container_state() = default;
  msg::snapshot now;
  std::vector<exit_listener_actor> listeners;
  std::int64_t reads = 0;
};

container_actor::behavior_type
fake_container(container_actor::stateful_pointer<fake_container_state> self,
               shared_scene in, exec_session_actor exec) {
  auto& now = self->state.now;
  now = in->web;
  return {
    [&now](const msg::create_container&) { return now; },
    [&now, in](const msg::start&) {
      in->note("start");
      return now;
    },
    [&now, in, self](const msg::kill& x) {
      in->note("kill " + std::to_string(x.signo) + (x.all ? " all" : ""));
      now.status = lifecycle::status::stopped;
      now.exit_code = 128 + x.signo;
      for (const auto& each : self->state.listeners)
        self->send(each, msg::exited{now});
      return now;
    },
    [&now, in](const msg::stop& x) {
      in->note("stop " + std::to_string(x.signo) + " "
               + std::to_string(x.grace.count()));
      return now;
    },
    [](const msg::pause&) -> caf::result<msg::snapshot> {
      return to_caf({fault::wrong_state, 0, "pause web: it is stopped"});
    },
    [](const msg::resume&) -> caf::result<msg::snapshot> {
      return to_caf(os_failure(ENOSPC, "write", "freezer.state"));
    },
    [&now, in](const msg::update& x) {
      in->note("update " + x.resources);
      return now;
    },
    [&now, in](const msg::remove& x) {
      in->note(x.force ? "remove force" : "remove");
      return now;
    },
    [&now](const msg::take_snapshot&) { return now; },
    [](const msg::list_processes&) {
      return msg::process_list{{{7, 1, 7, 0, "S", 10, 4096, "sh \xff"}}};
    },
    [self](const msg::read_stats&) {
      msg::stats out;
      out.id = "web";
      out.read = 1;
      out.used.cpu_usage_ns = ++self->state.reads;
      out.used.memory.limit = std::numeric_limits<std::int64_t>::max();
      return out;
    },
    [](const msg::resize_terminal&) { return msg::done{}; },
    [in](const msg::attach& x) {
      in->attach(x.socket);
      in->note(x.with_stdin ? "attach stdin" : "attach");
      in->note("attach " + std::to_string(static_cast<int>(x.framing)) + " "
               + std::to_string(static_cast<int>(x.when_full)) + " "
               + std::to_string(x.replay));
      return msg::done{};
    },
    [in](const msg::reopen_log&) {
      in->note("reopen log");
      return msg::done{};
    },
    [in, exec](const msg::create_exec& x) {
      in->note("exec " + x.args.at(0) + " " + x.user);
      msg::exec_snapshot made;
      made.container = "web";
      made.id = "e1";
      return msg::exec_created{made, exec};
    },
    [in, exec](const msg::find_exec& x) -> caf::result<msg::exec_created> {
      if (x.id != "e1")
        return to_caf({fault::not_found, 0, "no exec session " + x.id});
      msg::exec_snapshot found;
      found.container = "web";
      found.id = "e1";
      return msg::exec_created{found, exec};
    },
    [](const msg::forget_execs&) { return msg::done{}; },
    [self, in, &now](const msg::await_exit& x) {
      if (now.status == lifecycle::status::stopped)
        self->send(x.listener, msg::exited{now});
      else
        self->state.listeners.push_back(x.listener);
      in->note("await");
    },
    [](const msg::oom_observed&) {},
    [](const msg::pressure_observed&) {},
    [](const msg::deadline&) {},
    [](const msg::process_changed&) {},
    [](const msg::process_warned&) {},
  };
}

// -- supervisor ---------------------------------------------------------------

supervisor_actor::behavior_type fake_supervisor(supervisor_actor::pointer,
                                                shared_scene in,
                                                container_actor web) {
  return {
    [in](const msg::create_container& x) -> caf::result<msg::snapshot> {
      if (x.id == "web")
        return to_caf({fault::already_exists, 0, "container web exists"});
      in->note("create " + x.rootfs + " " + x.options);
      msg::snapshot out;
      out.id = x.id;
      out.status = lifecycle::status::created;
      return out;
    },
    [in,
     web](const msg::find_container& x) -> caf::result<msg::container_found> {
      if (x.id != "web")
        return to_caf({fault::not_found, 0, "no container " + x.id});
      return msg::container_found{in->web, web};
    },
    [in](const msg::list_containers&) {
      auto old = in->web;
      old.id = "old";
      old.status = lifecycle::status::stopped;
      return msg::snapshots{{in->web, old}};
    },
    [](const msg::describe_host&) {
      msg::host_info out;
      out.cgroup_mode = "hybrid";
      out.containers = 2;
      return out;
    },
    [in](const msg::upgrade_shim& x) {
      in->note("upgrade shim to '" + x.program + "'");
      msg::host_info out;
      out.shim_version = "0.2.0";
      return out;
    },
    [in](const msg::shut_down& x) {
      in->note(x.stop_containers ? "shut down all" : "shut down");
      return msg::done{};
    },
    [](const msg::container_changed&) {},
    [](const msg::shim_synced&) {},
    [](const msg::deadline&) {},
  };
}

// -- event log ----------------------------------------------------------------

struct fake_event_log_state {
  fake_event_log_state() = default;
  std::vector<msg::event> all;
  std::vector<event_subscriber_actor> subscribers;
};

event_log_actor::behavior_type
fake_event_log(event_log_actor::stateful_pointer<fake_event_log_state> self,
               shared_scene in) {
  auto& all = self->state.all;
  all = in->events;
  return {
    [self, &all](const msg::append_events& x) {
      for (const auto& each : x.events) {
        all.push_back(each);
        all.back().seq = std::ssize(all);
      }
      for (const auto& each : self->state.subscribers)
        self->send(each, msg::events_committed{std::ssize(all)});
      return msg::events_committed{std::ssize(all)};
    },
    [in, &all](const msg::read_events& x) {
      in->note("read " + std::to_string(x.since));
      msg::events out;
      out.last_seq = std::ssize(all);
      for (const auto& each : all)
        if (each.seq > x.since && std::ssize(out.all) < x.limit
            && (x.type.empty() || each.type == x.type))
          out.all.push_back(each);
      return out;
    },
    [](const msg::find_told&) { return msg::told{}; },
    [self, in, &all](const msg::subscribe_events& x) {
      self->state.subscribers.push_back(x.subscriber);
      self->send(x.subscriber, msg::events_committed{std::ssize(all)});
      in->note("subscribe");
    },
    [](const msg::deadline&) {},
  };
}

} // namespace

exec_session_actor spawn_fake_exec(caf::actor_system& system, shared_scene in) {
  return system.spawn(fake_exec, std::move(in));
}

container_actor spawn_fake_container(caf::actor_system& system, shared_scene in,
                                     exec_session_actor exec) {
  return system.spawn(fake_container, std::move(in), std::move(exec));
}

supervisor_actor spawn_fake_supervisor(caf::actor_system& system,
                                       shared_scene in, container_actor web) {
  return system.spawn(fake_supervisor, std::move(in), std::move(web));
}

event_log_actor spawn_fake_event_log(caf::actor_system& system,
                                     shared_scene in) {
  return system.spawn(fake_event_log, std::move(in));
}

} // namespace troupe::test
