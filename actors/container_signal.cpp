#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/shim_calls.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

/// kill and stop. A signal changes no status: only the reaped exit does.
namespace troupe {

using lifecycle::effect;
using lifecycle::operation;
using lifecycle::status;

namespace {

constexpr bool is_signal(int signo) {
  return signo >= 1 && signo < NSIG;
}

failure no_signal(std::string about, int signo) {
  return {fault::invalid_config, 0,
          std::move(about) + ": signal " + std::to_string(signo)
            + "; allowed: 1 to " + std::to_string(NSIG - 1)};
}

} // namespace

caf::result<msg::snapshot> container_state::kill(const msg::kill& x) {
  if (!is_signal(x.signo))
    return to_caf(no_signal(about("kill"), x.signo));
  const auto row = allowed(x.signo == SIGKILL ? operation::kill
                                              : operation::signal);
  if (!row)
    return to_caf(row.error());
  auto reply = self->make_response_promise<msg::snapshot>();
  const auto thaws = row->run == effect::kill_thawed;
  signal(x.signo, x.all, [this, thaws, reply](outcome sent) mutable {
    // Frozen, it cannot die: cgroup-v1/freezer-subsystem.rst.
    if (sent && thaws)
      sent = thaw(wrong_state("pause", "it was killed"));
    if (sent)
      reply.deliver(now);
    else
      reply.deliver(to_caf(std::move(sent).error()));
  });
  return reply;
}

void container_state::signal(int signo, bool all, then sent) {
  spdlog::debug("container {} gets signal {}{}", now.id, signo,
                all ? " everywhere" : "");
  killed_by_us |= signo == SIGKILL;
  if (now.status == status::creating) {
    needs_cleanup = true;
    if (!launch_sent) {
      sent({});
      return;
    }
  } else if (all && control) {
    sent(control->signal_all(signo));
    return;
  }
  call(shim::signal{0, now.id, signo}, {}, shim_patience, std::move(sent));
}

void container_state::kill_everything() {
  signal(SIGKILL, false, [this](const outcome& sent) {
    if (!sent && lifecycle::has_process(now.status))
      spdlog::warn("container {} is not killed: {}", now.id, sent.error().what);
  });
  if (!control || now.status == status::creating)
    return;
  if (auto sent = control->signal_all(SIGKILL); !sent)
    spdlog::warn("container {} is not killed: {}", now.id, sent.error().what);
  if (now.status != status::pausing && now.status != status::paused)
    return;
  if (auto thawed = thaw(wrong_state("pause", "it was killed")); !thawed)
    spdlog::error("container {} stays frozen: {}", now.id, thawed.error().what);
}

// -- stop ---------------------------------------------------------------------

caf::result<msg::snapshot> container_state::stop(const msg::stop& x) {
  if (!is_signal(x.signo))
    return to_caf(no_signal(about("stop"), x.signo));
  const auto row = allowed(operation::stop);
  if (!row)
    return to_caf(row.error());
  if (row->run == effect::nothing && exit_answered)
    return now;
  stoppers.push_back(self->make_response_promise<msg::snapshot>());
  auto reply = stoppers.back();
  if (row->run == effect::nothing) // Its exit is being settled.
    return reply;
  // A second stop joins the first; the shorter grace of the two holds.
  due.arm(container_due::grace_over, x.grace);
  if (std::exchange(stopping, true))
    return reply;
  wait_for("stop");
  publish();
  terminate(x.signo, *row);
  return reply;
}

void container_state::terminate(int signo, const lifecycle::transition& row) {
  // Nothing of the user's runs yet, and an init of a pid namespace that has no
  // handler ignores SIGTERM, pid_namespaces(7).
  if (row.from == status::created)
    signo = SIGKILL;
  const auto thaws = row.run == effect::terminate_thawed;
  signal(signo, false, [this, thaws](outcome sent) {
    if (sent && thaws)
      sent = thaw(wrong_state("pause", "it was stopped"));
    if (!sent && lifecycle::has_process(now.status))
      end_stop(sent.error());
  });
}

void container_state::end_stop(const failure& why) {
  due.disarm(container_due::grace_over);
  stopping = false;
  waited("stop");
  publish();
  for (auto& each : std::exchange(stoppers, {}))
    each.deliver(to_caf(why));
}

void container_state::kill_failed() {
  auto why = failure{fault::timed_out, 0,
                     "container " + now.id + " has not died "
                       + std::to_string(kill_patience.count() / 1'000'000'000)
                       + " s after SIGKILL"};
  spdlog::error("{}", why.what);
  if (now.status == status::creating) {
    launch_ended = std::move(why);
    clean_up_launch();
    return;
  }
  if (stopping)
    end_stop(why);
  if (removing)
    fail_removal(std::move(why));
}

} // namespace troupe
