#pragma once

#include "config/base/result.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/linux/unique_fd.hpp"

namespace troupe::launch {

/// What a launcher that was there before it was needed has made meanwhile: a
/// new network namespace takes longer than any other step of a start, and to
/// be rid of the host's mounts is a wait for every CPU (synchronize_rcu).
struct spare {
  /// The launcher is in a new network namespace with `lo` up; back to the
  /// host's.
  sys::unique_fd host_network;
  /// A mount namespace that has nothing but an empty, read-only root; and the
  /// host's, which the launcher is in, with its root there.
  sys::unique_fd empty_mounts;
  sys::unique_fd host_mounts;
  sys::unique_fd host_root;
};

/// What spares are made of, made once and inherited by each: to be rid of the
/// host's mounts takes longer than to copy what is left.
struct spare_ground {
  sys::unique_fd empty_mounts; ///< As a spare's, which is a copy of it.
  sys::unique_fd host_mounts;
  sys::unique_fd host_root;
};

/// All or nothing: what is invalid could not be made. A failure: the process
/// is not where it was, and of no use.
[[nodiscard]] result<spare_ground> make_spare_ground();

/// Makes what can be made, of the ground of this process; an invalid
/// descriptor is what could not. A failure as above.
[[nodiscard]] result<spare> make_spare(spare_ground ground);

/// What a launch takes of it. What init does in the container's user namespace,
/// or its launcher on the host meanwhile, is not for it.
struct taken {
  bool network = false; ///< The launcher is in the container's already.
  bool mounts = false;  ///< Init's root goes on the empty one, without a pivot.
};

/// Goes back to the host's network if the launch is not for the new one. What
/// is not taken is let go.
[[nodiscard]] result<taken> take_spare(const plan::launch_plan& plan,
                                       spare& of);

/// Back to the host's mounts, which setns(2) enters at their top: to a root
/// that is further down, too.
[[nodiscard]] outcome return_to_host(const spare& from);

} // namespace troupe::launch
