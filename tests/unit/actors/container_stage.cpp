#include "tests/unit/actors/container_stage.hpp"

namespace troupe::test {

supervisor_actor container_stage::spawn_supervisor() {
  return system.spawn([this]() -> supervisor_actor::behavior_type {
    const auto none = [] { return sample_error(fault::unsupported, "fake"); };
    return {
      [none](const msg::create_container&) -> caf::result<msg::snapshot> {
        return none();
      },
      [none](const msg::find_container&) -> caf::result<msg::container_found> {
        return none();
      },
      [none](const msg::list_containers&) -> caf::result<msg::snapshots> {
        return none();
      },
      [none](const msg::describe_host&) -> caf::result<msg::host_info> {
        return none();
      },
      [none](const msg::upgrade_shim&) -> caf::result<msg::host_info> {
        return none();
      },
      [none](const msg::shut_down&) -> caf::result<msg::done> {
        return none();
      },
      [this](const msg::container_changed& x) { published.push_back(x.now); },
      [](const msg::shim_synced&) {},
      [](const msg::deadline&) {},
    };
  });
}

} // namespace troupe::test
