#include "actors/exec_state.hpp"
#include "actors/shim_calls.hpp"
#include "runtime/cgroup/session.hpp"
#include "runtime/linux/memfd.hpp"
#include "runtime/linux/proc_info.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

/// An exec session from its launch to its end.
namespace troupe {

using msg::exec_status;

namespace {

constexpr auto memory = std::chrono::seconds{60};

/// A killed process is in its cgroup until it is dead.
constexpr auto cgroup_pause = std::chrono::milliseconds{10};
constexpr auto most_cgroup_tries = 500;

} // namespace

// -- launch -------------------------------------------------------------------

caf::result<msg::exec_snapshot> exec_state::create(const msg::create_exec&) {
  if (now.created != 0)
    return to_caf(
      {fault::wrong_state, 0, about("create") + ": it has been created"});
  now.created = now_ns();
  now.args = plan->process.args;
  now.terminal = plan->process.terminal;
  if (request.files)
    now.files = with->store.files_of(now.container, now.id);
  creator = self->make_response_promise<msg::exec_snapshot>();
  auto reply = *creator;
  if (request.ignore_paused) // Nobody waits in line for the end of a pause.
    launch();
  else
    line_up();
  return reply;
}

/// Waits for its turn, as containers do.
void exec_state::line_up() {
  const auto come = due.message(exec_due::launch_turn);
  auto entered = with->gate->enter(
    [to = caf::actor_cast<exec_session_actor>(self), come] {
      caf::anon_send(to, come);
    });
  if (!entered)
    return leave_line(std::move(entered).error().during(about("create")));
  turn = *std::move(entered);
  if (turn.has_come())
    launch();
  else
    due.arm(exec_due::launch_late, launch_patience(*with));
}

/// Nothing has been made for it yet.
void exec_state::leave_line(failure why) {
  launch_ended = std::move(why);
  turn.leave();
  cgroup.reset();
  vanish();
}

void exec_state::launch() {
  due.disarm(exec_due::launch_turn);
  due.disarm(exec_due::launch_late);
  auto fds = open_files();
  if (!fds) {
    launch_ended = std::move(fds).error();
    vanish();
    return;
  }
  launch_sent = true;
  self->send(with->shim, msg::own_process{key, self});
  call(launch_request(), *std::move(fds), patience(),
       [this](const outcome& answered) { launch_answered(answered); });
  request.preserved = {};
}

/// What the shim gets with the launch. Makes the session's cgroup: without one
/// it enters its container's, and only its own process can be found later.
result<std::vector<msg::shared_fd>> exec_state::open_files() {
  auto own = *plan;
  if (cgroup)
    if (const auto made = cgroup::make_session(*cgroup, own.cgroup); !made) {
      spdlog::warn("exec {} has no cgroup of its own: {}", key,
                   made.error().what);
      cgroup.reset();
    }
  TROUPE_TRY(auto out, plan_fds(own));
  if (request.capture > 0) {
    for (auto* each : {&captured.out, &captured.err}) {
      TROUPE_TRY(auto file, sys::plain_memfd("captured"));
      *each = std::make_shared<sys::unique_fd>(std::move(file));
      out.push_back(*each);
    }
  }
  const auto& preserved = request.preserved.all;
  out.insert(out.end(), preserved.begin(), preserved.end());
  return out;
}

/// In a container that is known to be paused, until that is over.
caf::timespan exec_state::patience() const {
  return request.ignore_paused ? pause_patience : launch_patience(*with);
}

shim::launch exec_state::launch_request() const {
  shim::launch out;
  out.key = key;
  out.target = now.container;
  out.open_stdin = request.open_stdin;
  out.terminal = now.terminal;
  if (request.capture > 0) {
    out.log.driver = shim::log_driver::capture;
    out.log.max_size = request.capture;
  }
  out.replay = with->settings->replay_size;
  out.preserve_fds = static_cast<std::uint32_t>(request.preserve_fds);
  out.ignore_paused = request.ignore_paused;
  out.files = now.files;
  out.timeout = request.timeout.count();
  return out;
}

void exec_state::launch_answered(const outcome& answered) {
  turn.leave();
  if (!answered && is(exec_status::creating)) {
    launch_ended = answered.error();
    if (launch_ended->code == fault::timed_out) {
      send_signal(SIGKILL, [](const outcome&) {});
      due.arm(exec_due::launch_over, kill_patience);
    } else {
      abandon();
    }
    return;
  }
  created({});
}

void exec_state::created(const shim::record&) {
  if (launch_ended) {
    send_signal(SIGKILL, [](const outcome&) {});
    return;
  }
  if (!is(exec_status::creating))
    return;
  turn.leave();
  now.status = exec_status::created;
  // The record is as good as the reply to the launch, and comes before it.
  if (auto reply = std::exchange(creator, std::nullopt))
    reply->deliver(now);
  spdlog::info("exec {} created pid={}", key, now.pid);
  if (request.capture > 0)
    due.arm(exec_due::start_overdue, launch_patience(*with));
}

/// exec-sync's client has hung up while the session was being made: nobody
/// knows of it.
void exec_state::abandon_unclaimed() {
  if (!is(exec_status::created))
    return;
  removing = true;
  kill_everything([](const outcome&) {});
}

void exec_state::abandon() {
  if (!launch_ended)
    launch_ended = to_failure(last.failure, nullptr);
  spdlog::info("exec {} not created: {}", key, launch_ended->what);
  forget([this] { vanish(); });
}

// -- start --------------------------------------------------------------------

caf::result<msg::exec_snapshot> exec_state::start() {
  if (auto may = allowed(exec_operation::start); !may)
    return to_caf(std::move(may).error());
  if (starter || removing)
    return to_caf(
      {fault::wrong_state, 0,
       about("start")
         + (starter ? ": a start is under way" : ": it is being removed")});
  starter = self->make_response_promise<msg::exec_snapshot>();
  self
    ->request(with->shim, launch_patience(*with),
              msg::shim_call{shim::start{0, key}, {}})
    .then(
      [this](const msg::shim_answer& x) {
        start_answered(outcome_of(x.reply, nullptr), x.reply.has_step);
      },
      [this](const caf::error& why) {
        start_answered(fail(no_answer(why)), false);
      });
  return *starter;
}

void exec_state::start_answered(const outcome& answered, bool at_a_step) {
  if (answered || now.started != 0) {
    running({});
    answer_start();
    return;
  }
  start_error = answered.error();
  const auto hangs = !at_a_step && start_error->code == fault::timed_out;
  if (hangs)
    send_signal(SIGKILL, [](const outcome&) {});
  if (at_a_step || hangs)
    now.error = start_error->what;
  // A failing step means that the process is gone: its end comes first.
  if ((at_a_step || hangs) && !end_answered)
    due.arm(exec_due::start_settle, settle_patience);
  else
    answer_start();
}

void exec_state::answer_start() {
  due.disarm(exec_due::start_settle);
  auto reply = std::exchange(starter, std::nullopt);
  const auto why = std::exchange(start_error, std::nullopt);
  if (reply && why)
    reply->deliver(to_caf(*why));
  else if (reply)
    reply->deliver(now);
}

void exec_state::running(const shim::record& x) {
  if (!is(exec_status::created))
    return;
  now.status = exec_status::running;
  now.started = x.started != 0 ? x.started : now_ns();
  answer_start();
  spdlog::info("exec {} started pid={}", key, now.pid);
  watch_time();
  tell_started();
}

void exec_state::tell_started() {
  if (now.started != 0 && !std::exchange(told_started, true))
    outbox.put(event("exec_started", now.started));
}

// -- end ----------------------------------------------------------------------

void exec_state::exited(const shim::record& x) {
  if (launch_ended && is(exec_status::creating)) {
    abandon();
    return;
  }
  if (is(exec_status::stopped))
    return;
  created(x); // The shim tells the newest state alone.
  now.status = exec_status::stopped;
  now.pid = 0;
  now.exit_code = x.exit_code;
  now.exit_signal = x.exit_signal;
  now.finished = x.finished != 0 ? x.finished : now_ns();
  if (now.started == 0)
    now.started = x.started;
  now.timed_out = time_is_over
                  || (adopted && x.timeout > 0 && x.exit_signal == SIGKILL
                      && x.finished - x.started >= x.timeout);
  if (x.start_failed) {
    const auto why = to_failure(x.failure, nullptr);
    now.error = why.what;
    now.exit_code = start_failed_code(why, x.exit_code);
  }
  for (const auto each :
       {exec_due::kill_over, exec_due::grace_over, exec_due::time_over})
    due.disarm(each);
  spdlog::info("exec {} exited code={} signal={}", key, now.exit_code,
               now.exit_signal);
  tell_started();
  outbox.put(event("exec_exited", now.finished));
  due.arm(exec_due::memory_over, memory);
  leave_cgroup();
  self->send(owner, msg::process_changed{x});
}

void exec_state::committed() {
  if (!is(exec_status::stopped) || std::exchange(end_committed, true))
    return;
  answer_end();
  if (removing)
    forget([this] { vanish(); });
}

void exec_state::not_committed(const failure& why) {
  spdlog::error("exec {} cannot tell its events: {}", key, why.what);
  due.disarm(exec_due::events_again);
  due.arm(exec_due::events_again, append_pause);
  if (!is(exec_status::stopped))
    return;
  answer_end();
  if (removing) // Its container cannot wait for a full disk.
    forget([this] { vanish(); });
}

void exec_state::answer_end() {
  end_answered = true;
  for (const auto& each : std::exchange(listeners, {})) {
    self->send(each, msg::exec_exited{now});
    self->demonitor(each.address()); // else it keeps our memory
  }
  if (start_error)
    answer_start();
}

void exec_state::await_end(const msg::await_exec& x) {
  if (end_answered) {
    self->send(x.listener, msg::exec_exited{now});
    return;
  }
  self->monitor(x.listener);
  listeners.push_back(x.listener);
}

// -- stop, time-out -----------------------------------------------------------

caf::result<msg::exec_snapshot> exec_state::stop(const msg::stop& x) {
  if (auto may = allowed(exec_operation::stop); !may)
    return to_caf(std::move(may).error());
  stoppers.push_back(self->make_response_promise<msg::exec_snapshot>());
  auto reply = stoppers.back();
  killing = true;
  if (is(exec_status::stopped)) {
    leave_cgroup();
    return reply;
  }
  const auto signalled = [this](const outcome& sent) {
    if (!sent && !is(exec_status::stopped))
      answer_stop(sent);
  };
  if (x.grace.count() <= 0) {
    due.arm(exec_due::kill_over, kill_patience);
    kill_everything(signalled);
  } else {
    due.arm(exec_due::grace_over, x.grace);
    send_signal(x.signo, signalled);
  }
  return reply;
}

void exec_state::kill_everything(then sent) {
  killing = true;
  if (cgroup)
    if (const auto killed = cgroup::kill_session(*cgroup); !killed)
      spdlog::warn("exec {} is not killed whole: {}", key, killed.error().what);
  send_signal(SIGKILL, std::move(sent));
}

/// After a restart the shim has kept the time that it was given. The clock may
/// have been set meanwhile, so it has not run for longer than it exists.
void exec_state::watch_time() {
  auto left = adopted ? last.timeout : request.timeout.count();
  if (left <= 0)
    return;
  if (adopted)
    left -= std::min(std::max<time_ns>(now_ns() - now.started, 0),
                     sys::age_of(now.pid).value_or(INT64_MAX));
  due.arm(exec_due::time_over,
          std::chrono::nanoseconds{std::max<time_ns>(left, 0)});
}

/// Its process is gone. What that has left goes on in the container's cgroup,
/// as under any other runtime, unless the session was stopped or timed out.
void exec_state::leave_cgroup() {
  auto left = outcome{};
  if (cgroup) {
    if (killing || now.timed_out)
      left = cgroup::kill_session(*cgroup);
    if (left && (killing || now.timed_out))
      left = cgroup::remove_session(*cgroup);
    else if (left)
      left = cgroup::dissolve_session(*cgroup);
  }
  if (!left && ++cgroup_tries < most_cgroup_tries) {
    due.arm(exec_due::cgroup_again, cgroup_pause);
    return;
  }
  if (!left)
    spdlog::warn("exec {} leaves its cgroup: {}", key, left.error().what);
  cgroup.reset();
  answer_stop(left);
  if (vanishing)
    vanish();
}

void exec_state::answer_stop(const outcome& how) {
  for (auto& each : std::exchange(stoppers, {}))
    if (how)
      each.deliver(now);
    else
      each.deliver(to_caf(how.error()));
}

caf::result<msg::captured> exec_state::take_output() {
  if (!captured.out)
    return to_caf(
      {fault::not_found, 0, about("take output of") + ": it captures none"});
  if (!is(exec_status::stopped))
    return to_caf(
      {fault::wrong_state, 0, about("take output of") + ": it has not ended"});
  return captured;
}

// -- kill, attach, remove -----------------------------------------------------

caf::result<msg::exec_snapshot> exec_state::kill(int signo) {
  if (signo < 1 || signo >= NSIG)
    return to_caf({fault::invalid_config, 0,
                   about("kill") + ": signal " + std::to_string(signo)
                     + "; allowed: 1 to " + std::to_string(NSIG - 1)});
  if (auto may = allowed(exec_operation::kill); !may)
    return to_caf(std::move(may).error());
  auto reply = self->make_response_promise<msg::exec_snapshot>();
  send_signal(signo, [this, reply](const outcome& sent) mutable {
    if (sent)
      reply.deliver(now);
    else
      reply.deliver(to_caf(sent.error()));
  });
  return reply;
}

void exec_state::send_signal(int signo, then sent) {
  call(shim::signal{0, key, signo}, {}, shim_patience, std::move(sent));
}

caf::result<msg::done> exec_state::attach(const msg::attach& x) {
  if (auto may = allowed(exec_operation::attach); !may)
    return to_caf(std::move(may).error());
  return ask_shim(self, with->shim,
                  shim::attach{0, key, x.with_stdin, x.with_output, x.framing,
                               x.when_full, x.replay},
                  {x.socket});
}

caf::result<msg::done>
exec_state::resize_terminal(const msg::resize_terminal& x) {
  if (auto may = allowed(exec_operation::resize); !may)
    return to_caf(std::move(may).error());
  return ask_shim(self, with->shim, shim::resize{0, key, x.rows, x.cols}, {});
}

caf::result<msg::exec_snapshot> exec_state::remove(bool force) {
  if (auto may = allowed(exec_operation::remove); !may && !force && !removing)
    return to_caf(std::move(may).error());
  removers.push_back(self->make_response_promise<msg::exec_snapshot>());
  auto reply = removers.back();
  if (std::exchange(removing, true))
    return reply;
  if (is(exec_status::stopped)) {
    if (end_answered)
      forget([this] { vanish(); });
    return reply;
  }
  if (!adopted && !launch_sent) {
    leave_line({fault::destroyed, 0, about("create") + ": it is removed"});
    return reply;
  }
  due.arm(exec_due::kill_over, kill_patience);
  kill_everything([this](const outcome& sent) {
    if (!sent && !is(exec_status::stopped))
      fail_removal(sent.error());
  });
  return reply;
}

void exec_state::fail_removal(const failure& why) {
  due.disarm(exec_due::kill_over);
  removing = false;
  for (auto& each : std::exchange(removers, {}))
    each.deliver(to_caf(why));
}

void exec_state::forget(std::function<void()> done) {
  call(shim::forget{0, key}, {}, shim_patience,
       [this, done = std::move(done)](const outcome& forgot) {
         if (!forgot && forgot.error().code != fault::not_found)
           spdlog::warn("exec {} stays in the shim's books: {}", key,
                        forgot.error().what);
         done();
       });
}

/// Answers everyone and ends.
void exec_state::vanish() {
  if (cgroup) {
    if (!std::exchange(vanishing, true))
      leave_cgroup();
    return;
  }
  turn.leave();
  self->send(with->shim, msg::disown_process{key});
  // Replies of the shim's that are still on their way come too late.
  const auto removed = failure{fault::destroyed, 0,
                               "exec " + now.id + " of container "
                                 + now.container + " is removed"};
  if (auto reply = std::exchange(creator, std::nullopt))
    reply->deliver(to_caf(launch_ended.value_or(removed)));
  if (starter && !start_error)
    start_error = removed;
  for (auto& each : std::exchange(removers, {}))
    each.deliver(now);
  // Its container would keep our memory for as long as it lives.
  self->demonitor(owner.address());
  answer_stop({});
  answer_end();
  answer_start();
  self->quit();
}

} // namespace troupe
