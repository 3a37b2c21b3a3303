#include "actors/cluster/monitor.hpp"

#include "actors/guard.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe::cluster {

namespace {

msg::container_down down_of(const msg::snapshot& x) {
  return {x.id, x.exit_code, x.exit_signal, x.oom_killed, false};
}

exit_listener_actor::behavior_type monitor(exit_listener_actor::pointer self,
                                           const std::string& id,
                                           const container_actor& whom,
                                           const container_listener_actor& to) {
  guard(self);
  // Before it ends: who monitors and is gone leaves memory behind.
  const auto finish = [self, whom, to] {
    self->demonitor(whom.address());
    self->demonitor(to.address());
    self->quit();
  };
  self->monitor(to);
  self->monitor(whom);
  self->set_down_handler([=](const caf::down_msg& x) {
    if (x.source == whom)
      self->send(to, msg::container_down{id, 0, 0, false, true});
    finish();
  });
  self->send(whom, msg::await_exit{self});
  return {[=](const msg::exited& x) {
    self->send(to, down_of(x.last));
    finish();
  }};
}

} // namespace

void monitor_container(caf::actor_system& system, const std::string& id,
                       container_actor whom, container_listener_actor to) {
  system.spawn(monitor, id, std::move(whom), std::move(to));
}

} // namespace troupe::cluster
