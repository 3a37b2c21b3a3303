#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/oom_watcher.hpp"
#include "actors/pressure_watcher.hpp"
#include "runtime/linux/pidfd.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <utility>

/// Who tells of a running container's memory.
namespace troupe {

using lifecycle::status;

void container_state::watch() {
  const auto over = now.status == status::stopped
                    || now.status == status::destroyed;
  if (over)
    return;
  if (auto opened = sys::open_pidfd(now.pid))
    life = *std::move(opened);
  if (!control)
    return;
  watch_oom();
  if (!oom_watcher) // which tells of what there is already
    if (const auto counter = control->oom_kills())
      oom_observed(*counter);
  if (with->reactor == nullptr || plan->cgroup.triggers.empty())
    return;
  auto pressure = spawn_pressure_watcher(self->system(), *with->reactor,
                                         plan->cgroup, self);
  if (pressure)
    pressure_watcher = *std::move(pressure);
  else
    spdlog::error("container {} has no pressure watcher: {}", now.id,
                  pressure.error().what);
}

void container_state::watch_oom() {
  if (with->reactor == nullptr)
    return;
  auto watcher = spawn_oom_watcher(
    self->system(), {*with->reactor, with->file_watches},
    with->open_control(plan->cgroup), self, oom_baseline + now.oom_kills);
  if (watcher)
    oom_watcher = *std::move(watcher);
  else // Its counter is still read at the exit.
    spdlog::warn("container {} has no oom watcher: {}", now.id,
                 watcher.error().what);
}

void container_state::end_watchers() {
  for (const auto& each : {caf::actor_cast<caf::actor>(oom_watcher),
                           caf::actor_cast<caf::actor>(pressure_watcher)})
    if (each)
      self->send_exit(each, caf::exit_reason::user_shutdown);
  life.reset();
  oom_watcher = nullptr;
  pressure_watcher = nullptr;
}

void container_state::pressure_observed(const msg::pressure_observed& x) {
  if (!lifecycle::is_running(now.status)
      || x.trigger >= plan->cgroup.triggers.size())
    return;
  const auto& trigger = plan->cgroup.triggers[x.trigger];
  auto event = repeatable_event_of(now, "pressure");
  event.time = x.at;
  event.data
    = nlohmann::json{{"file", trigger.file}, {"trigger", trigger.value}}.dump();
  outbox.put(std::move(event));
}

} // namespace troupe
