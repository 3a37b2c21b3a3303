#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/log_options.hpp"
#include "actors/shim_calls.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <utility>

/// create and start: from nothing to a running program, and back to nothing
/// when a step of the way fails.
namespace troupe {

using lifecycle::operation;
using lifecycle::status;

namespace {

constexpr auto cleanup_pause = std::chrono::seconds{1};

/// Between two looks at the line before the shim.
constexpr auto line_pause = std::chrono::seconds{1};

} // namespace

// -- create -------------------------------------------------------------------

caf::result<msg::snapshot>
container_state::create(const msg::create_container& x) {
  if (now.created != 0)
    return to_caf(
      wrong_state("create", "it is " + std::string{to_string(now.status)}));
  now.created = now_ns();
  now.auto_remove = x.auto_remove;
  now.stdin_open = x.open_stdin;
  stdio = x.stdio;
  creator = self->make_response_promise<msg::snapshot>();
  auto reply = *creator;
  if (auto chosen = choose_log(x.log); !chosen) {
    launch_ended = std::move(chosen).error();
    abandon_launch();
    return reply;
  }
  if (auto made = with->store.make(now.id); !made) {
    launch_ended = std::move(made).error();
    abandon_launch();
    return reply;
  }
  owns_directory = true;
  wait_for("plan");
  publish();
  self
    ->request(
      with->planner, launch_patience(*with),
      msg::compile_launch{now.id, x.bundle, x.rootfs, x.spec, x.options})
    .then([this](const msg::compiled_launch& x) { line_up(x); },
          [this](const caf::error& why) {
            launch_ended = from_caf(why);
            abandon_launch();
          });
  return reply;
}

/// Waits for its turn, if there are many.
void container_state::line_up(const msg::compiled_launch& x) {
  compiled = x;
  const auto come = due.message(container_due::launch_turn);
  auto entered = with->gate->enter([to = caf::actor_cast<container_actor>(self),
                                    come] { caf::anon_send(to, come); });
  if (!entered) {
    leave_line(std::move(entered).error().during(about("create")));
    return;
  }
  turn = *std::move(entered);
  if (turn.has_come()) {
    launch();
    return;
  }
  due.arm(container_due::launch_late, launch_patience(*with));
  look_at_line();
}

void container_state::look_at_line() {
  if (turn.has_come()) // The call is on its way.
    return;
  if (needs_cleanup) {
    leave_line(wrong_state("create", "it was killed meanwhile"));
    return;
  }
  now.waiting_for = "launch: " + std::to_string(turn.before())
                    + " launches before it";
  now.waiting_since = now.created;
  publish();
  due.arm(container_due::launch_look, line_pause);
}

/// Its turn has come, or it waits no more.
void container_state::end_line() {
  due.disarm(container_due::launch_turn);
  due.disarm(container_due::launch_look);
  due.disarm(container_due::launch_late);
}

void container_state::leave_line(failure why) {
  launch_ended = std::move(why);
  abandon_launch();
}

void container_state::launch() {
  end_line();
  const auto x = *std::exchange(compiled, std::nullopt);
  // A kill or a removal may have come while there was nothing to kill yet.
  if (needs_cleanup)
    launch_ended = wrong_state("create", "it was killed meanwhile");
  else if (auto kept = keep(x); !kept)
    launch_ended = std::move(kept).error();
  auto fds = launch_ended ? fail(*launch_ended) : launch_fds(*x.plan);
  if (!fds) {
    launch_ended = std::move(fds).error();
    abandon_launch();
    return;
  }
  wait_for("launch");
  publish();
  launch_sent = true;
  self->send(with->shim, msg::own_process{now.id, self});
  shim::launch request;
  request.key = now.id;
  request.open_stdin = now.stdin_open;
  request.terminal = now.terminal;
  request.log = log;
  request.replay = with->settings->replay_size;
  request.files = now.files;
  call(std::move(request), *std::move(fds), launch_patience(*with),
       [this](const outcome& answered) { launch_answered(answered); });
  stdio = {};
}

result<std::vector<msg::shared_fd>>
container_state::launch_fds(const plan::launch_plan& of) const {
  if (!stdio.all.empty() && of.process.terminal)
    return fail(fault::invalid_config,
                "/log/driver: passthrough has no terminal to give; leave "
                "/options/tty out");
  TROUPE_TRY(auto out, plan_fds(of));
  out.insert(out.end(), stdio.all.begin(), stdio.all.end());
  return out;
}

outcome container_state::choose_log(const log_choice& x) {
  TROUPE_CHECK(validate(x, json::pointer{"/log"}));
  const auto chosen = complete(x, *with->settings.now(),
                               with->store.log_of(now.id));
  TROUPE_TRY(log, log_options_of(chosen));
  constexpr std::size_t wanted = 3;
  if (log.driver == shim::log_driver::passthrough && stdio.all.size() != wanted)
    return fail(fault::invalid_config,
                "/log/driver: passthrough needs the caller's own stdin, stdout "
                "and stderr, which only a local caller can give");
  now.log_driver = chosen.driver;
  now.log_mode = chosen.mode;
  now.log_path = chosen.path;
  if (log.driver == shim::log_driver::passthrough)
    now.stdin_open = false; // It is the caller's.
  return {};
}

outcome container_state::keep(const msg::compiled_launch& x) {
  plan = x.plan;
  describe(now, *plan);
  now.files = with->store.files_of(now.id);
  if (plan->cgroup.mode != plan::cgroup_mode::none)
    control = with->open_control(plan->cgroup);
  for (const auto& warning : plan->warnings)
    spdlog::warn("container {} does without: {}", now.id, warning);
  TROUPE_CHECK(with->store.write_config(now.id, *x.config));
  TROUPE_CHECK(with->store.write_plan(*plan));
  return with->store.write_state(state_of(now));
}

void container_state::launch_answered(const outcome& answered) {
  turn.leave();
  if (cleaning_up) // Given up already.
    return;
  if (!answered && now.status == status::creating) {
    // A deadline of ours has no errno; one of a step, such as a hook's, has,
    // and the launcher has ended by itself.
    if (answered.error().code == fault::timed_out
        && answered.error().os_errno == 0) {
      end_launch(answered.error());
      return;
    }
    launch_ended = answered.error();
    if (needs_cleanup)
      clean_up_launch();
    else
      abandon_launch();
    return;
  }
  launched({});
  answer_create();
}

void container_state::answer_create() {
  if (auto reply = std::exchange(creator, std::nullopt))
    reply->deliver(now);
}

void container_state::launched(const shim::record& x) {
  const auto knows_more = x.pid != 0 && x.pid != now.pid;
  if (knows_more)
    now.pid = x.pid;
  if (launch_ended) {
    signal(SIGKILL, false, [](const outcome&) {});
    return;
  }
  if (!follow(operation::launched)) {
    if (knows_more)
      publish();
    return;
  }
  turn.leave();
  due.disarm(container_due::launch_over);
  wait_for({});
  publish();
  // The record is as good as the reply to the launch, and comes before it.
  answer_create();
  // An empty cgroup directory of the same name may have been taken over, with
  // its counters. After a restart, what was counted since counts.
  if (control && !adopted)
    oom_baseline = control->oom_kills().value_or(0);
  spdlog::log(adopted ? spdlog::level::debug : spdlog::level::info,
              "container {} created pid={}", now.id, now.pid);
  imply_events();
  save();
}

void container_state::end_launch(failure why) {
  spdlog::warn("container {} is killed: {}", now.id, why.what);
  launch_ended = std::move(why);
  signal(SIGKILL, false, [](const outcome&) {});
  due.arm(container_due::launch_over, kill_patience);
}

/// A launcher that was killed has not cleaned up: its teardown does.
void container_state::clean_up_launch() {
  if (std::exchange(cleaning_up, true))
    return;
  due.disarm(container_due::launch_over);
  if (!launch_ended)
    launch_ended = failure{fault::os, 0, "the launch has failed"};
  wait_for("teardown");
  publish();
  auto fds = plan_fds(*plan);
  if (!fds) { // Out of descriptors or memory: later.
    cleaning_up = false;
    due.arm(container_due::launch_over, cleanup_pause);
    return;
  }
  call(shim::teardown{0, now.id}, *std::move(fds), launch_patience(*with),
       [this](const outcome& done) {
         if (!done)
           spdlog::error("container {} leaves something behind: {}", now.id,
                         done.error().what);
         abandon_launch();
       });
}

void container_state::abandon_launch() {
  end_line();
  turn.leave();
  forget([this](const outcome&) {
    now.error = launch_ended->what;
    follow(operation::launch_failed);
    spdlog::info("container {} not created: {}", now.id, now.error);
    if (adopted) {
      put("destroyed", now_ns()); // and vanishes when that is written
      return;
    }
    if (owns_directory) // Else it is another container's id.
      outbox.put(repeatable_event_of(now, "create_failed"));
    vanish();
  });
}

// -- start --------------------------------------------------------------------

caf::result<msg::snapshot> container_state::start() {
  if (auto row = allowed(operation::start); !row)
    return to_caf(std::move(row).error());
  if (starter)
    return to_caf(wrong_state("start", "a start is under way"));
  starter = self->make_response_promise<msg::snapshot>();
  wait_for("start");
  publish();
  // Not `call`: a failing step means that init is gone, any other failure not.
  self
    ->request(with->shim, launch_patience(*with),
              msg::shim_call{shim::start{0, now.id}, {}})
    .then(
      [this](const msg::shim_answer& x) {
        start_answered(outcome_of(x.reply, plan.get()), x.reply.has_step);
      },
      [this](const caf::error& why) {
        start_answered(fail(no_answer(why)), false);
      });
  return *starter;
}

void container_state::start_answered(const outcome& answered, bool at_a_step) {
  // The record may have come before, and even the exit.
  const auto ran = now.started != 0;
  if (answered || ran) {
    running({});
    if (starter && now.status == status::running
        && !plan->hooks.poststart.empty())
      run_poststart();
    else
      answer_start();
    return;
  }
  start_error = answered.error();
  const auto hangs = !at_a_step && start_error->code == fault::timed_out;
  if (hangs)
    signal(SIGKILL, false, [](const outcome&) {});
  if (at_a_step || hangs)
    end_start(answered.error());
  else
    answer_start();
}

/// The container cannot go on: answers once its exit is settled, so that
/// whoever is told of the failure finds it stopped.
void container_state::end_start(failure why) {
  now.error = why.what;
  start_error = std::move(why);
  changed();
  if (exit_answered)
    answer_start();
  else
    due.arm(container_due::start_settle, settle_patience);
}

/// runtime-spec 1.2.1 and later, runtime.md, Lifecycle, step 9: when a
/// poststart hook fails, the runtime generates an error and stops the
/// container.
void container_state::run_poststart() {
  wait_for("poststart");
  publish();
  auto fds = plan_fds(*plan);
  if (!fds) {
    kill_everything();
    end_start(std::move(fds).error());
    return;
  }
  call(shim::poststart{0, now.id}, *std::move(fds), launch_patience(*with),
       [this](const outcome& done) {
         if (done) {
           answer_start();
           return;
         }
         kill_everything();
         end_start(done.error());
       });
}

void container_state::answer_start() {
  if (!starter)
    return;
  due.disarm(container_due::start_settle);
  waited("start");
  waited("poststart");
  publish();
  auto reply = *std::exchange(starter, std::nullopt);
  if (const auto why = std::exchange(start_error, std::nullopt))
    reply.deliver(to_caf(*why));
  else
    reply.deliver(now);
}

void container_state::running(const shim::record& x) {
  const auto row = lifecycle::find(now.status, operation::start);
  if (!row)
    return;
  follow(*row);
  now.started = x.started != 0 ? x.started : now_ns();
  if (starter && plan->hooks.poststart.empty())
    answer_start(); // as with the creation
  else
    publish();
  spdlog::log(adopted ? spdlog::level::debug : spdlog::level::info,
              "container {} started pid={}", now.id, now.pid);
  imply_events();
  if (!adopted) // else the supervisor says when
    watch();
  save();
}

} // namespace troupe
