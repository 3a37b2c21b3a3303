#include "actors/watchdog.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <pthread.h>
#include <sys/eventfd.h>

namespace troupe {

namespace {

constexpr auto beat = std::chrono::seconds{1};

/// Standing still is counted in looks, not in time: a process that was stopped
/// (SIGSTOP, a suspended machine) did not look meanwhile, either.
constexpr auto look = std::chrono::seconds{3};
constexpr auto patient_looks = 10;

struct heartbeat_state {
  heartbeat_state() = default;
  std::shared_ptr<watchdog::shared> shared;
  std::vector<watchdog::ward> wards;
  static constexpr const char* name = "heartbeat";
};

void report(heartbeat_state& state, const caf::down_msg& x) {
  const auto found = std::find_if(
    state.wards.begin(), state.wards.end(), [&](const watchdog::ward& each) {
      return each.who && each.who->address() == x.source;
    });
  if (found == state.wards.end())
    return;
  const auto orderly = !x.reason || x.reason == caf::exit_reason::normal
                       || x.reason == caf::exit_reason::user_shutdown;
  {
    const std::lock_guard lock{state.shared->guard};
    if (!state.shared->first)
      state.shared->first = watchdog::death{
        found->name,
        orderly ? failure{fault::none, 0, {}} : from_caf(x.reason)};
  }
  found->who = nullptr;
  ::eventfd_write(state.shared->notice.get(), 1);
}

heartbeat_actor::behavior_type
heartbeat(heartbeat_actor::stateful_pointer<heartbeat_state> self,
          std::shared_ptr<watchdog::shared> shared,
          std::vector<watchdog::ward> wards) {
  guard(self);
  auto& state = self->state;
  state.shared = std::move(shared);
  state.wards = std::move(wards);
  self->set_down_handler(
    [&state](const caf::down_msg& x) { report(state, x); });
  for (const auto& each : state.wards)
    self->monitor(caf::actor_cast<caf::actor>(each.who));
  self->send(self, msg::deadline{});
  return {
    [self](const msg::deadline&) {
      ++self->state.shared->beats;
      self->delayed_send(self, beat, msg::deadline{});
    },
  };
}

} // namespace

result<std::unique_ptr<watchdog>> watchdog::start(caf::actor_system& system,
                                                  std::vector<ward> wards) {
  auto with = std::make_shared<shared>();
  with->notice.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!with->notice)
    return fail_os(errno, "eventfd", "");
  return std::unique_ptr<watchdog>{
    new watchdog{system, std::move(wards), std::move(with)}};
}

watchdog::watchdog(caf::actor_system& system, std::vector<ward> wards,
                   std::shared_ptr<shared> with)
  : shared_(std::move(with)),
    heart_(system.spawn(heartbeat, shared_, std::move(wards))),
    thread_([this] { watch(); }) {
  pthread_setname_np(thread_.native_handle(), "troupe.watchdog");
}

watchdog::~watchdog() {
  {
    const std::lock_guard lock{shared_->guard};
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
  thread_.join();
  caf::anon_send_exit(heart_, caf::exit_reason::user_shutdown);
}

std::optional<watchdog::death> watchdog::first_death() const {
  const std::lock_guard lock{shared_->guard};
  return shared_->first;
}

void watchdog::watch() {
  auto last = shared_->beats.load();
  auto still = 0;
  std::unique_lock lock{shared_->guard};
  while (!shared_->changed.wait_for(lock, look,
                                    [this] { return shared_->stopping; })) {
    const auto now = shared_->beats.load();
    still = now == last ? still + 1 : 0;
    last = now;
    if (still < patient_looks)
      continue;
    spdlog::critical("the actors have stood still for {} s: aborting",
                     std::chrono::seconds{look * patient_looks}.count());
    std::abort();
  }
}

} // namespace troupe
