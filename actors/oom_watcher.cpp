#include "actors/oom_watcher.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/reactor.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace troupe {

namespace {

struct oom_watch {
  std::shared_ptr<cgroup::control> control;
  std::shared_ptr<cgroup::control::oom_notice> notice;
  std::int64_t oom_kills = 0; ///< When the watch began.
};

struct oom_watcher_state {
  using self_pointer = oom_watcher_actor::stateful_pointer<oom_watcher_state>;

  static constexpr const char* name = "oom_watcher";

  explicit oom_watcher_state(self_pointer ptr) : self(ptr) {
  }

  /// Tells of a rise since the last look; false if there is nothing to look at
  /// any more.
  bool look();
  void on_ready();

  self_pointer self;
  container_actor container;
  std::shared_ptr<cgroup::control> control;
  sys::watched_fd notice;
  std::uint32_t events = 0;
  std::int64_t last = 0;
};

bool oom_watcher_state::look() {
  const auto now = control->oom_kills();
  if (!now)
    return false;
  if (*now > std::exchange(last, *now))
    self->send(container, msg::oom_observed{*now, now_ns()});
  return true;
}

/// Not armed again once the cgroup is removed: its notice would be ready for
/// ever. Drained first, so that a kill after the look wakes us again.
void oom_watcher_state::on_ready() {
  const auto drained = notice && notice.drain();
  if (!look() || !drained)
    return notice.close();
  if (const auto armed = notice.arm(events); !armed)
    spdlog::warn("oom watcher: {}", armed.error().what);
}

oom_watcher_actor::behavior_type
oom_watcher(oom_watcher_state::self_pointer self, sys::poller* poller,
            const oom_watch& watch, const container_actor& container) {
  auto& state = self->state;
  guard(self);
  state.container = container;
  state.control = watch.control;
  state.events = watch.notice->epoll_events;
  state.last = watch.oom_kills;
  self->monitor(container);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  auto watched = sys::watched_fd::watch(*poller, std::move(watch.notice->fd),
                                        state.events,
                                        notify(oom_watcher_actor{self}));
  if (watched)
    state.notice = *std::move(watched);
  else // The container still reads the counter when it ends.
    spdlog::warn("oom watcher: {}", watched.error().what);
  state.look(); // What came between the first look and the watch.
  return {[&state](const msg::fd_ready&) { state.on_ready(); }};
}

} // namespace

result<oom_watcher_actor>
spawn_oom_watcher(caf::actor_system& system, sys::poller& poller,
                  std::unique_ptr<cgroup::control> control,
                  container_actor container) {
  oom_watch watch;
  watch.control = std::move(control);
  TROUPE_TRY(watch.oom_kills, watch.control->oom_kills());
  TROUPE_TRY(auto notice, watch.control->watch_oom());
  if (!notice.fd)
    return fail(fault::unsupported,
                "watch oom: this host has no memory controller");
  watch.notice = std::make_shared<cgroup::control::oom_notice>(
    std::move(notice));
  return system.spawn(oom_watcher, &poller, std::move(watch),
                      std::move(container));
}

} // namespace troupe
