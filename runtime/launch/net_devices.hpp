#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::launch {

/// The network devices that a launch has moved, until it has succeeded: those
/// without hardware would vanish with the namespace of a container that fails.
class moved_devices {
public:
  /// Moves the plan's devices from our network namespace to that of process
  /// `pid`.
  [[nodiscard]] outcome move_to(const plan::launch_plan& plan, pid_t pid,
                                progress& at);

  /// Moves back what was moved. What fails is lost with the container.
  void move_back(const plan::launch_plan& plan) const;

private:
  sys::unique_fd own_;
  sys::unique_fd container_;
  std::vector<std::string> names_; ///< In the container, in the plan's order.
};

} // namespace troupe::launch
