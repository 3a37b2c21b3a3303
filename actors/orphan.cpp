#include "actors/orphan.hpp"

#include "actors/guard.hpp"
#include "actors/shim_calls.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

namespace troupe {

namespace {

struct orphan_state {
  using pointer = process_owner_actor::stateful_pointer<orphan_state>;

  static constexpr const char* name = "orphan";

  explicit orphan_state(pointer me) : self(me) {
  }

  void begin(shared_services services, shim::process_key of);
  void changed(const shim::record& x);

  pointer self;
  shared_services with;
  shim::process_key key;
};

void orphan_state::begin(shared_services services, shim::process_key of) {
  with = std::move(services);
  key = std::move(of);
  spdlog::error("process {} has no container and is killed", key);
  self->send(with->shim, msg::own_process{key, self});
  call_shim(self, with->shim, shim_patience,
            msg::shim_call{shim::signal{0, key, SIGKILL}, {}}, nullptr,
            [key = key](const outcome& sent) {
              if (!sent) // It may have ended by itself.
                spdlog::warn("process {} is not killed: {}", key,
                             sent.error().what);
            });
}

void orphan_state::changed(const shim::record& x) {
  if (x.state != shim::process_state::exited
      && x.state != shim::process_state::failed)
    return;
  call_shim(self, with->shim, shim_patience,
            msg::shim_call{shim::forget{0, key}, {}}, nullptr,
            [this](const outcome&) {
              self->send(with->shim, msg::disown_process{key});
              self->quit();
            });
}

process_owner_actor::behavior_type orphan(orphan_state::pointer self,
                                          shared_services with,
                                          shim::process_key key) {
  guard(self);
  auto& state = self->state;
  state.begin(std::move(with), std::move(key));
  return {
    [&state](const msg::process_changed& x) { state.changed(x.record); },
    [&state](const msg::process_warned& x) {
      spdlog::warn("process {} warns: {}", state.key, x.warning.what);
    },
  };
}

} // namespace

process_owner_actor spawn_orphan(caf::actor_system& system,
                                 shared_services with,
                                 const shim::record& process) {
  return system.spawn(orphan, std::move(with), process.key);
}

} // namespace troupe
