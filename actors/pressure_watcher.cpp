#include "actors/pressure_watcher.hpp"

#include "actors/guard.hpp"
#include "runtime/cgroup/pressure.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <sys/epoll.h>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Movable only: it goes to the actor in a shared_ptr.
using descriptors = std::vector<sys::unique_fd>;

struct pressure_watcher_state {
  static constexpr const char* name = "pressure_watcher";
  std::vector<sys::watched_fd> triggers; ///< In the plan's order.
};

/// The number of a trigger in the place of the poller's own.
sys::poller::callback notify_of(std::size_t trigger, fd_owner_actor owner) {
  return [trigger, owner = std::move(owner)](sys::poller::token,
                                             std::uint32_t events) {
    caf::anon_send(owner, msg::fd_ready{trigger, events});
  };
}

pressure_watcher_actor::behavior_type pressure_watcher(
  pressure_watcher_actor::stateful_pointer<pressure_watcher_state> self,
  sys::poller* poller, const std::shared_ptr<descriptors>& fds,
  const container_actor& container) {
  guard(self);
  auto& state = self->state;
  self->monitor(container);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  for (auto& fd : *fds) {
    auto watched = sys::watched_fd::watch(
      *poller, std::move(fd), EPOLLPRI,
      notify_of(state.triggers.size(), pressure_watcher_actor{self}));
    if (!watched)
      spdlog::warn("pressure watcher: {}", watched.error().what);
    state.triggers.push_back(watched ? *std::move(watched) : sys::watched_fd{});
  }
  return {
    [self, container, &state](const msg::fd_ready& x) {
      auto& trigger = state.triggers.at(x.token);
      if ((x.events & EPOLLERR) != 0) // its cgroup is gone
        return trigger.close();
      self->send(container, msg::pressure_observed{
                              static_cast<std::uint32_t>(x.token), now_ns()});
      if (const auto armed = trigger.arm(EPOLLPRI); !armed)
        spdlog::warn("pressure watcher: {}", armed.error().what);
    },
  };
}

} // namespace

result<pressure_watcher_actor>
spawn_pressure_watcher(caf::actor_system& system, sys::poller& poller,
                       const plan::cgroup& in, container_actor container) {
  auto fds = std::make_shared<descriptors>();
  for (const auto& each : in.triggers) {
    TROUPE_TRY(auto fd, cgroup::open_trigger(in, each));
    fds->push_back(std::move(fd));
  }
  return system.spawn(pressure_watcher, &poller, std::move(fds),
                      std::move(container));
}

} // namespace troupe
