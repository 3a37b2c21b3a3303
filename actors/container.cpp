#include "actors/container.hpp"

#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/guard.hpp"
#include "actors/shim_calls.hpp"
#include "config/base/fault_point.hpp"
#include "config/base/quote.hpp"
#include "runtime/linux/pidfd.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe {

using lifecycle::operation;
using lifecycle::status;

namespace {

/// Between two attempts to write a state that the disk refused.
constexpr auto save_pause = std::chrono::seconds{1};

} // namespace

container_state::container_state(pointer me) : self(me), due(me), outbox(me) {
}

void container_state::begin(shared_services services,
                            const container_origin& origin) {
  with = std::move(services);
  supervisor = origin.supervisor;
  now.id = origin.id;
  outbox.open(
    with->events, [this] { committed(); },
    [this](const failure& why) { not_committed(why); });
  if (origin.adopted)
    adopt(origin);
}

// -- what is allowed ----------------------------------------------------------

result<lifecycle::transition> container_state::allowed(operation on) const {
  const auto begins = on == operation::start || on == operation::exec
                      || on == operation::pause;
  if (removing && begins && now.status != status::destroyed)
    return fail(wrong_state(to_string(on), "it is being removed"));
  if (const auto row = lifecycle::find(now.status, on))
    return *row;
  return fail(refusal(on));
}

failure container_state::refusal(operation on) const {
  const auto is = "container " + now.id + " is "
                  + std::string{to_string(now.status)};
  if (now.status == status::destroyed)
    return {fault::destroyed, 0, is};
  if (now.status == status::paused || now.status == status::pausing)
    return {fault::paused, 0, is};
  std::vector<std::string_view> from;
  for (const auto& row : lifecycle::transitions)
    if (row.on == on && row.from != status::destroyed)
      from.push_back(to_string(row.from));
  return wrong_state(to_string(on), "it is "
                                      + std::string{to_string(now.status)}
                                      + "; allowed: " + joined(from));
}

failure container_state::wrong_state(std::string_view attempt,
                                     std::string_view because) const {
  return {fault::wrong_state, 0, about(attempt).append(": ").append(because)};
}

std::string container_state::about(std::string_view attempt) const {
  return std::string{attempt} + " container " + now.id;
}

// -- what changes -------------------------------------------------------------

bool container_state::follow(const lifecycle::transition& row) {
  if (now.status != row.from)
    return false;
  const fault_scope step{"container", to_string(row.on)};
  if (row.to != row.from)
    spdlog::debug("container {} {} -> {}", now.id, to_string(row.from),
                  to_string(row.to));
  now.status = row.to;
  return true;
}

bool container_state::follow(operation on) {
  const auto row = lifecycle::find(now.status, on);
  return row && follow(*row);
}

void container_state::put(std::string_view type, time_ns at, std::int64_t n) {
  outbox.put(event_of(now, type, at, n));
}

void container_state::wait_for(std::string what) {
  now.waiting_since = what.empty() ? 0 : now_ns();
  now.waiting_for = std::move(what);
}

void container_state::waited(std::string_view what) {
  if (now.waiting_for == what)
    wait_for({});
}

void container_state::save() {
  auto state = state_of(now);
  if (taking_up || state == saved)
    return;
  auto written = with->store.write_state(state);
  is_saved = written.has_value();
  if (is_saved) {
    saved = std::move(state);
    return;
  }
  spdlog::error("container {} cannot keep its state: {}", now.id,
                written.error().what);
  due.disarm(container_due::save_again);
  due.arm(container_due::save_again, save_pause);
}

void container_state::publish() const {
  if (taking_up)
    return;
  self->send(supervisor, msg::container_changed{now});
}

void container_state::changed() {
  save();
  publish();
}

void container_state::call(shim::request request,
                           std::vector<msg::shared_fd> fds,
                           caf::timespan patience, then done) {
  call_shim(self, with->shim, patience,
            msg::shim_call{std::move(request), std::move(fds)}, plan,
            std::move(done));
}

// -- what happens -------------------------------------------------------------

void container_state::process_changed(const shim::record& x) {
  if (x.key != now.id) {
    session_changed(x);
    return;
  }
  if (now.status == status::destroyed || forgotten)
    return;
  if (note_output(now.output, x))
    publish();
  switch (x.state) {
  case shim::process_state::launching:
    break;
  case shim::process_state::created:
    launched(x);
    break;
  case shim::process_state::running:
    launched(x);
    running(x);
    break;
  case shim::process_state::exited:
    exited(x);
    break;
  case shim::process_state::failed:
    // A fresh launch's reply says more, and comes next.
    if (launch_ended || adopted)
      clean_up_launch();
    break;
  }
}

void container_state::process_warned(const shim::warning& x) {
  const auto what = x.has_step ? to_failure(x.step, plan.get()).what : x.what;
  spdlog::warn("container {} warns: {}", now.id, what);
}

void container_state::fell_due(const msg::deadline& x) {
  if (!due.reached(x))
    return;
  switch (static_cast<container_due>(x.of)) {
  case container_due::launch_turn:
    launch();
    break;
  case container_due::launch_look:
    look_at_line();
    break;
  case container_due::launch_late:
    leave_line({fault::timed_out, 0,
                about("create") + ": still " + std::to_string(turn.before())
                  + " launches before it"});
    break;
  case container_due::launch_over:
    if (launch_ended)
      clean_up_launch();
    else
      end_launch({fault::timed_out, 0, "the launch has not ended in time"});
    break;
  case container_due::start_settle:
    answer_start();
    break;
  case container_due::freezer_look:
    look_at_freezer();
    break;
  case container_due::freeze_over:
    freeze_failed({fault::timed_out, 0,
                   about("pause") + ": not frozen after "
                     + std::to_string(with->settings->freeze_timeout_ms)
                     + " ms"});
    break;
  case container_due::grace_over:
    spdlog::info("container {} has not stopped in time and is killed", now.id);
    kill_everything();
    due.arm(container_due::kill_over, kill_patience);
    break;
  case container_due::kill_over:
    kill_failed();
    break;
  case container_due::watch_begins:
    if (adopted)
      watch();
    break;
  case container_due::vanish_again:
    vanish();
    break;
  case container_due::events_again:
    outbox.send();
    break;
  case container_due::save_again:
    save();
    acknowledge_exit();
    break;
  case container_due::count:
    break;
  }
}

void container_state::peer_down(const caf::down_msg& x) {
  if (x.source == supervisor) {
    leave(x.reason);
    return;
  }
  std::erase_if(listeners, [&](const auto& each) { return x.source == each; });
  const auto ended = std::find_if(
    sessions.begin(), sessions.end(),
    [&](const auto& each) { return x.source == each.second; });
  if (ended == sessions.end())
    return;
  std::erase(ended_sessions, ended->first);
  std::erase(now.execs, ended->first);
  sessions.erase(ended);
  publish();
}

void container_state::leave(const caf::error& why) {
  if (life && sys::has_ended(life.get()))
    with->untold->add(now.id, std::move(life));
  end_watchers();
  self->demonitor(supervisor.address()); // else it keeps our memory
  for (const auto& [id, session] : sessions)
    self->send_exit(session, caf::exit_reason::user_shutdown);
  self->quit(why);
}

namespace {

container_actor::behavior_type container(container_state::pointer self,
                                         shared_services with,
                                         const container_origin& origin) {
  guard(self);
  auto& state = self->state;
  self->monitor(origin.supervisor);
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.peer_down(x); });
  self->set_exit_handler(
    [&state](const caf::exit_msg& x) { state.leave(x.reason); });
  state.begin(std::move(with), origin);
  return {
    [&state](const msg::create_container& x) { return state.create(x); },
    [&state](const msg::start&) { return state.start(); },
    [&state](const msg::kill& x) { return state.kill(x); },
    [&state](const msg::stop& x) { return state.stop(x); },
    [&state](const msg::pause&) { return state.pause(); },
    [&state](const msg::resume&) { return state.resume(); },
    [&state](const msg::update& x) { return state.update(x); },
    [&state](const msg::remove& x) { return state.remove(x.force); },
    [&state](const msg::take_snapshot&) { return state.now; },
    [&state](const msg::list_processes&) { return state.processes(); },
    [&state](const msg::read_stats&) { return state.stats(); },
    [&state](const msg::attach& x) { return state.attach(x); },
    [&state](const msg::resize_terminal& x) {
      return state.resize_terminal(x);
    },
    [&state](const msg::reopen_log&) { return state.reopen_log(); },
    [&state](const msg::create_exec& x) { return state.create_exec(x); },
    [&state](const msg::find_exec& x) { return state.find_exec(x.id); },
    [&state](const msg::forget_execs&) { return state.forget_execs(); },
    [&state](const msg::await_exit& x) { state.await_exit(x); },
    [&state](const msg::oom_observed& x) { state.oom_observed(x.oom_kills); },
    [&state](const msg::pressure_observed& x) { state.pressure_observed(x); },
    [&state](const msg::deadline& x) { state.fell_due(x); },
    [&state](const msg::process_changed& x) {
      state.process_changed(x.record);
    },
    [&state](const msg::process_warned& x) { state.process_warned(x.warning); },
  };
}

} // namespace

msg::deadline watch_begins() {
  return {static_cast<std::uint8_t>(container_due::watch_begins), 0, {}};
}

container_actor spawn_container(caf::actor_system& system, shared_services with,
                                container_origin origin) {
  return system.spawn(container, std::move(with), std::move(origin));
}

} // namespace troupe
