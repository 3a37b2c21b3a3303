#include "actors/exec_session.hpp"

#include "actors/container_view.hpp"
#include "actors/exec_state.hpp"
#include "actors/guard.hpp"
#include "actors/shim_calls.hpp"
#include "config/base/quote.hpp"
#include "runtime/cgroup/session.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <csignal>
#include <utility>

namespace troupe {

using msg::exec_status;

namespace {

constexpr std::array<std::string_view, 4> status_names{"creating", "created",
                                                       "running", "stopped"};

/// The session's statuses and what may be asked in each: the whole table.
struct permission {
  exec_operation on;
  std::string_view verb;
  std::array<bool, 4> in; ///< By exec_status.
};

constexpr std::array permissions{
  permission{exec_operation::start, "start", {false, true, false, false}},
  permission{exec_operation::kill, "kill", {true, true, true, false}},
  permission{exec_operation::stop, "stop", {false, true, true, true}},
  permission{exec_operation::attach, "attach to", {false, true, true, true}},
  permission{exec_operation::resize,
             "resize the terminal of",
             {false, true, true, false}},
  permission{exec_operation::remove, "remove", {false, false, false, true}},
};

} // namespace

exec_state::exec_state(pointer me) : self(me), due(me), outbox(me) {
}

void exec_state::begin(shared_services services, const exec_origin& origin) {
  with = std::move(services);
  owner = origin.owner;
  key = origin.container + "/" + origin.id;
  plan = origin.plan;
  request = origin.request;
  now.container = origin.container;
  now.id = origin.id;
  cgroup = cgroup::session_dir(origin.cgroup, now.id);
  outbox.open(
    with->events, [this] { committed(); },
    [this](const failure& why) { not_committed(why); });
  if (!origin.has_record)
    return;
  adopted = true;
  now.created = origin.record.created;
  // Whether it has any is what the disk tells.
  now.files = with->store.files_of(now.container, now.id);
  self->send(with->shim, msg::own_process{key, self});
  process_changed(origin.record);
}

// -- what is allowed ----------------------------------------------------------

outcome exec_state::allowed(exec_operation on) const {
  const auto& row = permissions[static_cast<std::size_t>(on)];
  if (row.in[static_cast<std::size_t>(now.status)])
    return {};
  std::vector<std::string_view> from;
  for (std::size_t i = 0; i < row.in.size(); ++i)
    if (row.in[i])
      from.push_back(status_names[i]);
  auto what = about(row.verb) + ": it is ";
  what += status_names[static_cast<std::size_t>(now.status)];
  return fail(fault::wrong_state, what + "; allowed: " + joined(from));
}

std::string exec_state::about(std::string_view attempt) const {
  return std::string{attempt} + " exec " + now.id + " of container "
         + now.container;
}

bool exec_state::is(exec_status x) const noexcept {
  return now.status == x;
}

msg::event exec_state::event(std::string_view type, time_ns at) const {
  auto data = nlohmann::json{{"session", now.id}};
  if (type == "exec_exited") {
    data["exit_code"] = now.exit_code;
    data["signal"] = now.exit_signal;
  }
  return {0,
          at,
          now.container,
          std::string{type},
          data.dump(),
          once_of(key, now.created, type)};
}

void exec_state::call(shim::request request, std::vector<msg::shared_fd> fds,
                      caf::timespan patience, then done) {
  call_shim(self, with->shim, patience,
            msg::shim_call{std::move(request), std::move(fds)}, nullptr,
            std::move(done));
}

// -- what happens -------------------------------------------------------------

void exec_state::process_changed(const shim::record& x) {
  if (x.key != key)
    return;
  last = x;
  note_output(now.output, x);
  if (x.created != 0) // The same before and after a restart: events need it.
    now.created = x.created;
  if (x.pid != 0)
    now.pid = x.pid;
  switch (x.state) {
  case shim::process_state::launching:
    break;
  case shim::process_state::created:
    created(x);
    break;
  case shim::process_state::running:
    created(x);
    running(x);
    break;
  case shim::process_state::exited:
    exited(x);
    break;
  case shim::process_state::failed:
    // A fresh launch's reply says more, and comes next.
    if (launch_ended || adopted)
      abandon();
    break;
  }
}

void exec_state::process_warned(const shim::warning& x) {
  const auto what = x.has_step ? to_failure(x.step, nullptr).what : x.what;
  spdlog::warn("exec {} warns: {}", key, what);
}

void exec_state::fell_due(const msg::deadline& x) {
  if (!due.reached(x))
    return;
  switch (static_cast<exec_due>(x.of)) {
  case exec_due::launch_turn:
    launch();
    break;
  case exec_due::launch_late:
    leave_line({fault::timed_out, 0,
                about("create") + ": its turn to launch has not come"});
    break;
  case exec_due::launch_over:
    abandon();
    break;
  case exec_due::start_settle:
    answer_start();
    break;
  case exec_due::kill_over:
    fail_removal({fault::timed_out, 0,
                  about("remove") + ": it has not died after SIGKILL"});
    answer_stop(fail(fault::timed_out,
                     about("stop") + ": it has not died after SIGKILL"));
    break;
  case exec_due::time_over:
    time_is_over = true;
    [[fallthrough]];
  case exec_due::grace_over:
    spdlog::info("exec {} has had its time and is killed", key);
    kill_everything([](const outcome&) {});
    due.arm(exec_due::kill_over, kill_patience);
    break;
  case exec_due::start_overdue:
    abandon_unclaimed();
    break;
  case exec_due::cgroup_again:
    leave_cgroup();
    break;
  case exec_due::memory_over:
    forget([this] { vanish(); });
    break;
  case exec_due::events_again:
    outbox.send();
    break;
  case exec_due::count:
    break;
  }
}

void exec_state::peer_down(const caf::down_msg& x) {
  if (x.source == owner) {
    self->quit(x.reason);
    return;
  }
  std::erase_if(listeners, [&](const auto& each) { return x.source == each; });
}

namespace {

exec_session_actor::behavior_type exec_session(exec_state::pointer self,
                                               shared_services with,
                                               const exec_origin& origin) {
  guard(self);
  auto& state = self->state;
  self->monitor(origin.owner);
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.peer_down(x); });
  state.begin(std::move(with), origin);
  return {
    [&state](const msg::create_exec& x) { return state.create(x); },
    [&state](const msg::start&) { return state.start(); },
    [&state](const msg::kill& x) { return state.kill(x.signo); },
    [&state](const msg::stop& x) { return state.stop(x); },
    [&state](const msg::take_output&) { return state.take_output(); },
    [&state](const msg::attach& x) { return state.attach(x); },
    [&state](const msg::resize_terminal& x) {
      return state.resize_terminal(x);
    },
    [&state](const msg::take_snapshot&) { return state.now; },
    [&state](const msg::remove& x) { return state.remove(x.force); },
    [&state](const msg::await_exec& x) { state.await_end(x); },
    [&state](const msg::deadline& x) { state.fell_due(x); },
    [&state](const msg::process_changed& x) {
      state.process_changed(x.record);
    },
    [&state](const msg::process_warned& x) { state.process_warned(x.warning); },
  };
}

} // namespace

exec_session_actor spawn_exec_session(caf::actor_system& system,
                                      shared_services with,
                                      exec_origin origin) {
  return system.spawn(exec_session, std::move(with), std::move(origin));
}

} // namespace troupe
