#pragma once

#include "config/base/result.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <vector>

namespace troupe::launch {

/// What a launcher that was there before it was needed has made meanwhile: a
/// new network namespace takes longer than any other step of a start, and to
/// be rid of the host's mounts is a wait for every CPU (synchronize_rcu).
struct spare {
  /// The launcher is in a new network namespace with `lo` up; back to the
  /// host's.
  sys::unique_fd host_network;
  /// A mount namespace that has nothing but an empty, read-only root; and the
  /// host's, which the launcher is in.
  sys::unique_fd empty_mounts;
  sys::unique_fd host_mounts;
};

/// Makes what can be made; an invalid descriptor is what could not.
[[nodiscard]] spare make_spare();

/// What a launch takes of it. What init does in the container's user namespace,
/// or its launcher on the host meanwhile, is not for it.
struct taken {
  bool network = false; ///< The launcher is in the container's already.
  bool mounts = false;  ///< Init's root goes on the empty one, without a pivot.
};

/// Goes back to the host's network if the launch is not for the new one.
[[nodiscard]] result<taken> take_spare(const plan::launch_plan& plan,
                                       spare& of);

} // namespace troupe::launch
