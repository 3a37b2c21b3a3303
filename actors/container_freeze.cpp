#include "actors/container_state.hpp"
#include "actors/container_view.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

/// pause and resume. Freezing is asynchronous in both cgroup versions
/// (cgroup-v1/freezer-subsystem.rst: FREEZING; cgroup-v2.rst: cgroup.freeze):
/// asked for once, looked at until it is so.
namespace troupe {

using lifecycle::effect;
using lifecycle::operation;
using lifecycle::status;

namespace {

constexpr caf::timespan first_look = std::chrono::milliseconds{1};
constexpr caf::timespan slowest_look = std::chrono::milliseconds{50};

} // namespace

caf::result<msg::snapshot> container_state::pause() {
  const auto row = allowed(operation::pause);
  if (!row)
    return to_caf(row.error());
  if (now.status == status::paused)
    return now;
  if (row->run == effect::freeze) {
    if (!control)
      return to_caf({fault::unsupported, 0,
                     about("pause") + ": it has no cgroup to freeze"});
    if (auto frozen = control->freeze(); !frozen)
      return to_caf(std::move(frozen).error().during(about("pause")));
    follow(*row);
    wait_for("freeze");
  }
  auto reply = self->make_response_promise<msg::snapshot>();
  pausers.push_back(reply);
  if (row->run == effect::freeze)
    look_at_freezer_soon();
  return reply;
}

void container_state::look_at_freezer_soon() {
  freezer_delay = first_look;
  due.arm(container_due::freeze_over,
          std::chrono::milliseconds{with->settings->freeze_timeout_ms});
  look_at_freezer(); // it may have taken no time at all
  if (now.status == status::pausing)
    changed();
}

void container_state::look_at_freezer() {
  const auto state = control->state();
  if (!state) {
    freeze_failed(failure{state.error()}.during(about("pause")));
    return;
  }
  if (*state != cgroup::freeze_state::frozen) {
    due.arm(container_due::freezer_look, freezer_delay);
    freezer_delay = std::min(freezer_delay * 2, slowest_look);
    return;
  }
  leave_freezer();
  follow(operation::frozen);
  spdlog::info("container {} paused", now.id);
  outbox.put(repeatable_event_of(now, "paused"));
  changed();
  for (auto& each : std::exchange(pausers, {}))
    each.deliver(now);
}

void container_state::leave_freezer() {
  due.disarm(container_due::freezer_look);
  due.disarm(container_due::freeze_over);
  waited("freeze");
}

void container_state::freeze_failed(failure why) {
  spdlog::warn("container {} not paused: {}", now.id, why.what);
  if (auto thawed = thaw(why); thawed)
    return;
  // Whether its tasks run or not, nobody waits for the freezer any more.
  leave_freezer();
  follow(operation::freeze_failed);
  changed();
  for (auto& each : std::exchange(pausers, {}))
    each.deliver(to_caf(why));
}

outcome container_state::thaw(const failure& to_pausers) {
  if (now.status != status::pausing && now.status != status::paused)
    return {};
  if (auto thawed = control->thaw(); !thawed)
    return fail(std::move(thawed).error().during(about("resume")));
  const auto was_paused = now.status == status::paused;
  leave_freezer();
  follow(operation::resume);
  if (was_paused) {
    spdlog::info("container {} resumed", now.id);
    outbox.put(repeatable_event_of(now, "resumed"));
  }
  changed();
  for (auto& each : std::exchange(pausers, {}))
    each.deliver(to_caf(to_pausers));
  return {};
}

caf::result<msg::snapshot> container_state::resume() {
  const auto row = allowed(operation::resume);
  if (!row)
    return to_caf(row.error());
  const auto cancelled = failure{fault::wrong_state, 0,
                                 "container " + now.id
                                   + ": pause was cancelled by resume"};
  if (auto thawed = thaw(cancelled); !thawed)
    return to_caf(std::move(thawed).error());
  return now;
}

} // namespace troupe
