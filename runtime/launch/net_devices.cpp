#include "runtime/launch/net_devices.hpp"

#include "runtime/linux/net_device.hpp"
#include "runtime/linux/proc.hpp"

#include <unistd.h>

namespace troupe::launch {

outcome moved_devices::move_to(const plan::launch_plan& plan, pid_t pid,
                               progress& at) {
  if (plan.net_devices.empty())
    return {};
  at = {plan::phase::net_device, 0};
  TROUPE_TRY(const auto proc, sys::private_proc::open());
  TROUPE_TRY(own_, proc.namespace_of(::getpid(), "net"));
  TROUPE_TRY(container_, proc.namespace_of(pid, "net"));
  for (const auto& device : plan.net_devices) {
    TROUPE_TRY(auto name, sys::move_net_device(own_.get(), container_.get(),
                                               device.host_name, device.name));
    names_.push_back(std::move(name));
    ++at.index;
  }
  return {};
}

void moved_devices::move_back(const plan::launch_plan& plan) const {
  for (std::size_t i = 0; i < names_.size(); ++i)
    // The launch's own failure is the one to report.
    (void)sys::move_net_device(container_.get(), own_.get(), names_[i],
                               plan.net_devices[i].host_name);
}

} // namespace troupe::launch
