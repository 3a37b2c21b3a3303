#include "tests/unit/actors/fakes.hpp"

namespace troupe::test {

exit_listener_actor
spawn_exit_listener(caf::actor_system& system,
                    std::shared_ptr<std::vector<msg::snapshot>> told) {
  return system.spawn([told]() -> exit_listener_actor::behavior_type {
    return {[told](const msg::exited& x) { told->push_back(x.last); }};
  });
}

exec_listener_actor
spawn_exec_listener(caf::actor_system& system,
                    std::shared_ptr<std::vector<msg::exec_snapshot>> told) {
  return system.spawn([told]() -> exec_listener_actor::behavior_type {
    return {[told](const msg::exec_exited& x) { told->push_back(x.last); }};
  });
}

} // namespace troupe::test
