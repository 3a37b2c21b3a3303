#include "actors/updater.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/updating.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <exception>
#include <string>
#include <utility>

namespace troupe {

namespace {

result<msg::shared_plan> attempt(const update_job& job) {
  try {
    return update_limits(job);
  } catch (const std::exception& why) { // std::bad_alloc, say
    return fail(fault::os, std::string{"update: "} + why.what());
  }
}

updater_actor::behavior_type updater(updater_actor::pointer self,
                                     shared_services with) {
  guard(self);
  return {
    [self, with](const msg::change_limits& x) -> caf::result<msg::limits> {
      self->quit();
      auto done = attempt({with->store, with->host, x.of, x.resources});
      if (!done)
        return to_caf(std::move(done).error());
      return msg::limits{*std::move(done)};
    },
  };
}

} // namespace

updater_actor spawn_updater(caf::actor_system& system, shared_services with,
                            bool may_wait) {
  return may_wait ? system.spawn<caf::detached>(updater, std::move(with))
                  : system.spawn(updater, std::move(with));
}

} // namespace troupe
