#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/shim_calls.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sched.h>
#include <utility>

/// The end of init: counted, written down, told; and only then forgotten by the
/// shim. What was told before a crash is told again after it, under the same
/// keys, so the log holds it once.
namespace troupe {

using lifecycle::operation;
using lifecycle::status;

namespace {

/// A kill that was counted this long before the end has not caused it.
constexpr time_ns oom_is_recent = 1'000'000'000;

} // namespace

void container_state::exited(const shim::record& x) {
  if (launch_ended && now.status == status::creating) {
    clean_up_launch();
    return;
  }
  const auto row = lifecycle::find(now.status, operation::exited);
  if (!row) {
    // Told again: either it is being written down, or the shim missed that it
    // may forget it.
    if (!removing)
      acknowledge_exit();
    return;
  }
  if (x.pid != 0)
    now.pid = x.pid;
  if (now.started == 0)
    now.started = x.started;
  now.exit_code = x.exit_code;
  now.exit_signal = x.exit_signal;
  now.finished = x.finished != 0 ? x.finished : now_ns();
  if (x.start_failed) {
    const auto why = to_failure(x.failure, plan.get());
    now.error = why.what;
    now.exit_code = start_failed_code(why, x.exit_code);
  }
  // Processes that outlive init die with a pid namespace of their own; where
  // there is none, it is up to us, pid_namespaces(7).
  if (control && (plan->namespaces.clone_flags & CLONE_NEWPID) == 0)
    if (auto killed = control->signal_all(SIGKILL); !killed)
      spdlog::warn("container {} leaves processes: {}", now.id,
                   killed.error().what);
  follow(*row);
  settle();
}

/// Reads the counter, before anything can remove the cgroup: notices come late
/// or never, the counter does not.
void container_state::count_ooms() {
  end_watchers();
  if (control)
    if (const auto counter = control->oom_kills())
      oom_observed(*counter);
  now.oom_killed = died_of_oom();
}

/// SIGKILL has no sender, so this weighs what is known: whom the kernel says it
/// killed; whether we have killed it ourselves; and how long ago a kill was
/// counted. A shell that hands on its child's end exits with 137.
bool container_state::died_of_oom() const {
  const auto by_signal = now.exit_signal == SIGKILL;
  if (now.oom_kills == 0 || !(by_signal || now.exit_code == 128 + SIGKILL))
    return false;
  if (oom.init_was_victim)
    return true;
  const auto recent = now.finished - oom.last < oom_is_recent;
  const auto all_others = oom.victims_known == now.oom_kills;
  if (by_signal && (all_others || killed_by_us))
    return false;
  return recent;
}

/// One event for each kill: how many there were is what the counter says, who
/// it was what the kernel's log says.
void container_state::oom_observed(std::int64_t counter) {
  const auto kills = counter - oom_baseline;
  if (kills <= now.oom_kills || now.status == status::destroyed)
    return;
  imply_events();
  while (now.oom_kills < kills) {
    ++now.oom_kills;
    tell_oom();
  }
  changed();
}

void container_state::tell_oom() {
  oom.last = now_ns();
  std::optional<sys::oom_report> told;
  cgroup::oom_origin origin;
  if (control) {
    if (with->kernel_log)
      told = control->take_oom(*with->kernel_log);
    origin = control->origin_of_oom(told ? &*told : nullptr);
  }
  static const auto knows_pids = sys::in_initial_pid_namespace();
  if (told && knows_pids) {
    ++oom.victims_known;
    oom.init_was_victim |= told->pid == now.pid;
  }
  spdlog::warn("container {} ran out of memory, oom_kills={} level={}", now.id,
               now.oom_kills, cgroup::to_string(origin.level));
  outbox.put(oom_event_of(now, oom.last, origin, told ? &*told : nullptr));
}

void container_state::settle() {
  for (const auto which :
       {container_due::freezer_look, container_due::freeze_over,
        container_due::grace_over, container_due::kill_over})
    due.disarm(which);
  imply_events();
  if (adopted)
    imply_ooms();
  count_ooms();
  spdlog::info("container {} exited code={} signal={} oom_killed={}", now.id,
               now.exit_code, now.exit_signal, now.oom_killed);
  stopping = false;
  wait_for({});
  now.pid = 0;
  outbox.put(std::vector{event_of(now, "exited", now.finished),
                         event_of(now, "stopped", now.finished)});
  changed(); // while the event log writes
  for (auto& each : std::exchange(pausers, {}))
    each.deliver(to_caf(wrong_state("pause", "it has exited")));
}

void container_state::imply_events() {
  if (!std::exchange(told_created, true))
    put("created", now.created);
  if (now.started != 0 && !std::exchange(told_started, true))
    put("started", now.started);
}

void container_state::committed() {
  if (now.status == status::destroyed) {
    vanish();
    return;
  }
  if (now.status != status::stopped || std::exchange(exit_committed, true))
    return;
  acknowledge_exit();
  answer_exit();
  if (now.auto_remove && !std::exchange(removing, true))
    spdlog::debug("container {} removes itself", now.id);
  go_on_removing();
}

/// The shim keeps its record until the exit is in both places.
void container_state::acknowledge_exit() {
  if (exit_committed && is_saved)
    forget([](const outcome&) {});
}

void container_state::not_committed(const failure& why) {
  spdlog::error("container {} cannot tell its events: {}", now.id, why.what);
  due.disarm(container_due::events_again);
  due.arm(container_due::events_again, append_pause);
  if (now.status == status::destroyed) {
    put_off_end(
      {fault::exhausted, why.os_errno,
       about("remove") + ": its end is not in the event log yet: " + why.what});
    return;
  }
  if (now.status != status::stopped)
    return;
  // Whoever waits cannot wait for a full disk. The shim keeps the record.
  answer_exit();
  go_on_removing();
}

void container_state::answer_exit() {
  exit_answered = true;
  for (auto& each : std::exchange(stoppers, {}))
    each.deliver(now);
  for (const auto& each : std::exchange(listeners, {})) {
    self->send(each, msg::exited{now});
    self->demonitor(each.address()); // else it keeps our memory
  }
  if (start_error)
    answer_start();
}

void container_state::await_exit(const msg::await_exit& x) {
  if (exit_answered) {
    self->send(x.listener, msg::exited{now});
    return;
  }
  // One that ends first is not told.
  self->monitor(x.listener);
  listeners.push_back(x.listener);
}

void container_state::forget(then done) {
  if (forgotten || !launch_sent) {
    done({});
    return;
  }
  forgetters.push_back(std::move(done));
  if (forgetters.size() > 1)
    return; // It is being asked already.
  call(shim::forget{0, now.id}, {}, shim_patience,
       [this](const outcome& forgot) {
         forgotten = forgot.has_value();
         if (!forgot)
           spdlog::warn("container {} stays in the shim's books: {}", now.id,
                        forgot.error().what);
         for (const auto& each : std::exchange(forgetters, {}))
           each(forgot);
       });
}

} // namespace troupe
