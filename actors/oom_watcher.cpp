#include "actors/oom_watcher.hpp"

#include "actors/deadlines.hpp"
#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/reactor.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace troupe {

namespace {

/// v1 tells that memory has run out before it has killed and counted anyone:
/// looks after a notice that has shown nothing, each after twice the time.
constexpr auto first_look = std::chrono::milliseconds{2};
constexpr auto last_look = std::chrono::milliseconds{1000};

enum class oom_due : std::uint8_t { look, count };

/// A notice of v1, or a file of v2.
struct oom_watch {
  std::shared_ptr<cgroup::control> control;
  std::shared_ptr<cgroup::control::oom_notice> notice;
  std::string file;
  std::int64_t oom_kills = 0; ///< That are known.
};

struct oom_watcher_state {
  using self_pointer = oom_watcher_actor::stateful_pointer<oom_watcher_state>;

  static constexpr const char* name = "oom_watcher";

  explicit oom_watcher_state(self_pointer ptr) : self(ptr), due(ptr) {
  }

  /// Tells of a rise since the last look; false if there is nothing to look at
  /// any more.
  bool look();
  void look_later(caf::timespan in);
  outcome begin(const oom_sources& from, const oom_watch& watch);
  void on_ready();

  self_pointer self;
  container_actor container;
  std::shared_ptr<cgroup::control> control;
  sys::watched_fd notice;
  sys::file_watches::watch file;
  std::uint32_t events = 0;
  std::int64_t last = 0;
  deadlines<self_pointer, oom_due> due;
  caf::timespan delay{0}; ///< Of the look that is due.
};

bool oom_watcher_state::look() {
  const auto now = control->oom_kills();
  if (!now)
    return false;
  if (*now > std::exchange(last, *now)) {
    due.disarm(oom_due::look);
    self->send(container, msg::oom_observed{*now, now_ns()});
  }
  return true;
}

void oom_watcher_state::look_later(caf::timespan in) {
  due.disarm(oom_due::look);
  delay = in;
  if (in <= last_look)
    due.arm(oom_due::look, in);
}

outcome oom_watcher_state::begin(const oom_sources& from,
                                 const oom_watch& watch) {
  const auto tell = notify(oom_watcher_actor{self});
  if (!watch.file.empty()) {
    TROUPE_TRY(file, from.files->add(watch.file, [tell] { tell(0, 0); }));
    return {};
  }
  events = watch.notice->epoll_events;
  TROUPE_TRY(notice, sys::watched_fd::watch(
                       from.poller, std::move(watch.notice->fd), events, tell));
  return {};
}

/// Not armed again once the cgroup is removed: its notice would be ready for
/// ever. Drained first, so that a kill after the look wakes us again.
void oom_watcher_state::on_ready() {
  if (file) { // v2 counts first, and then tells
    if (!look())
      file = {};
    return;
  }
  const auto drained = notice && notice.drain();
  const auto before = last;
  if (!look() || !drained)
    return notice.close();
  if (last == before)
    look_later(first_look);
  if (const auto armed = notice.arm(events); !armed)
    spdlog::warn("oom watcher: {}", armed.error().what);
}

oom_watcher_actor::behavior_type
oom_watcher(oom_watcher_state::self_pointer self, const oom_sources& from,
            const oom_watch& watch, const container_actor& container) {
  auto& state = self->state;
  guard(self);
  state.container = container;
  state.control = watch.control;
  state.last = watch.oom_kills;
  self->monitor(container);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  // Else the container still reads the counter when it ends.
  if (const auto begun = state.begin(from, watch); !begun)
    spdlog::warn("oom watcher: {}", begun.error().what);
  state.look(); // What came before the watch.
  return {
    [&state](const msg::fd_ready&) { state.on_ready(); },
    [&state](const msg::deadline& x) {
      const auto before = state.last;
      if (state.due.reached(x) && state.look() && state.last == before)
        state.look_later(state.delay * 2);
    },
  };
}

} // namespace

result<oom_watcher_actor>
spawn_oom_watcher(caf::actor_system& system, oom_sources from,
                  std::unique_ptr<cgroup::control> control,
                  container_actor container, std::int64_t known) {
  oom_watch watch;
  watch.control = std::move(control);
  watch.oom_kills = known;
  if (from.files)
    watch.file = watch.control->oom_file();
  if (watch.file.empty()) {
    TROUPE_TRY(auto notice, watch.control->watch_oom());
    if (!notice.fd)
      return fail(fault::unsupported,
                  "watch oom: this host has no memory controller");
    watch.notice = std::make_shared<cgroup::control::oom_notice>(
      std::move(notice));
  }
  return system.spawn(oom_watcher, from, std::move(watch),
                      std::move(container));
}

} // namespace troupe
