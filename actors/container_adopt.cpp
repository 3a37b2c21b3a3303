#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/exec_session.hpp"
#include "actors/shim_calls.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <utility>

/// After a restart: what the disk remembers and what the shim holds, together,
/// say where the container is.
namespace troupe {

using lifecycle::operation;
using lifecycle::status;

void container_state::adopt(const container_origin& x) {
  adopted = true;
  taking_up = true;
  owns_directory = true;
  launch_sent = true;
  plan = x.plan;
  now = snapshot_of(x.state, *plan);
  saved = x.state;
  told_created = told_started = x.told_started; // in this order
  if (now.log_driver.empty())                   // An older supervisor's.
    now.log_driver = "k8s-file";
  now.files = with->store.files_of(now.id);
  if (plan->cgroup.mode != plan::cgroup_mode::none)
    control = with->open_control(plan->cgroup);
  for (const auto& record : x.execs) {
    auto origin = exec_origin{};
    origin.container = now.id;
    origin.id = record.key.substr(now.id.size() + 1);
    origin.owner = self;
    origin.cgroup = plan->cgroup;
    origin.has_record = true;
    origin.record = record;
    const auto id = origin.id;
    keep_session(id,
                 spawn_exec_session(self->system(), with, std::move(origin)));
  }
  if (x.has_record)
    adopt_process(x.record);
  else
    adopt_without_process();
  taking_up = false;
  save();
  publish();
}

void container_state::adopt_process(const shim::record& x) {
  note_output(now.output, x);
  self->send(with->shim, msg::own_process{now.id, self});
  if (now.status == status::destroyed) {
    forget([this](const outcome&) { put("destroyed", now_ns()); });
    return;
  }
  if (now.status == status::stopped) {
    // It died between writing down the exit and having it forgotten.
    settle_again();
    return;
  }
  // The rest is what the record tells: from the beginning.
  const auto was = now.status;
  now.status = status::creating;
  switch (x.state) {
  case shim::process_state::launching:
    due.arm(container_due::launch_over,
            std::chrono::milliseconds{with->settings->launch_timeout_ms});
    break;
  case shim::process_state::created:
    launched(x);
    break;
  case shim::process_state::running:
    launched(x);
    running(x);
    adopt_running();
    break;
  case shim::process_state::exited:
    now.status = was;
    exited(x);
    break;
  case shim::process_state::failed:
    launch_ended = to_failure(x.failure, plan.get());
    clean_up_launch();
    break;
  }
}

void container_state::adopt_running() {
  imply_ooms();
  if (!control)
    return;
  const auto state = control->state();
  if (!state || *state == cgroup::freeze_state::thawed)
    return;
  follow(operation::pause);
  if (*state == cgroup::freeze_state::frozen)
    follow(operation::frozen);
  else
    look_at_freezer_soon();
  changed();
}

void container_state::adopt_without_process() {
  forgotten = true;
  switch (now.status) {
  case status::creating:
    launch_ended = failure{fault::os, 0, "the launch was interrupted"};
    clean_up_launch();
    break;
  case status::stopped:
    settle_again();
    break;
  case status::destroyed:
    put("destroyed", now_ns());
    break;
  case status::checkpointed:
    exit_committed = true;
    exit_answered = true;
    break;
  default:
    settle_loss();
  }
}

/// The shim itself is new, and did not take its processes along: they have no
/// parent of ours any more, and nobody reads what they write. What the old one
/// has written down at the end of this one still counts.
void container_state::settle_loss() {
  auto lost = shim::record{};
  lost.key = now.id;
  if (const auto ended = with->store.read_exit(now.id)) {
    lost.exit_code = ended->exit_code;
    lost.finished = ended->finished;
    // It wrote that at once, and then read on until there was no more.
    now.error = "lost: perhaps the last that it has written; its exit code is "
                "known, but the shim has ended, too";
  } else {
    now.error = "lost: the shim has no record of it, so nobody knows how it "
                "ended";
    lost.exit_code = 255;
  }
  spdlog::error("container {} {}", now.id, now.error);
  if (control) {
    static_cast<void>(control->signal_all(SIGKILL));
    static_cast<void>(control->thaw());
  }
  exited(lost);
}

/// The disk may know of kills that the event log does not: the state is written
/// first.
void container_state::imply_ooms() {
  for (auto n = std::int64_t{1}; n <= now.oom_kills; ++n)
    put("oom", now_ns(), n);
}

/// Tells everything that a stopped container's state implies; what has been
/// told already is not told twice.
void container_state::settle_again() {
  now.pid = 0;
  imply_events();
  imply_ooms();
  outbox.put(std::vector{event_of(now, "exited", now.finished),
                         event_of(now, "stopped", now.finished)});
}

} // namespace troupe
