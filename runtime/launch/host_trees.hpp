#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <vector>

namespace troupe::launch {

/// What a container gets of the host's file systems: detached copies, made and
/// finished by the launcher in the host's mount namespace and with the host's
/// rights; init only places them.
///
/// An ordinary user has no right to copy a mount of the host's namespace. Then
/// init makes them, in its own copy of it.
struct host_trees {
  sys::unique_fd rootfs;
  std::vector<sys::unique_fd> mounts; ///< As plan.rootfs.mounts; binds only.
  /// As plan.rootfs.mounts: the user namespace of an idmapped file system.
  std::vector<sys::unique_fd> idmaps;
  std::vector<sys::unique_fd> devices; ///< As plan.rootfs.devices; see below.
  /// As plan.cgroup.dirs, for a cgroup mount; empty: init makes them itself.
  std::vector<sys::unique_fd> cgroups;
};

/// Whether the container has a mount namespace, new or joined. Without one
/// nothing is ever mounted: its root is entered by chroot.
[[nodiscard]] bool has_own_mounts(const plan::launch_plan& plan) noexcept;

/// Whether the container lives in a mount namespace that others have made.
[[nodiscard]] bool joins_mounts(const plan::launch_plan& plan) noexcept;

/// Whether init lives in a user namespace, new or joined: mknod(2) of a device
/// is refused there, so the host's node is bound instead.
[[nodiscard]] bool in_user_namespace(const plan::launch_plan& plan) noexcept;

/// Opens all of it. Nothing if the plan has no mount namespace of its own.
[[nodiscard]] result<host_trees> open_host_trees(const plan::launch_plan& plan,
                                                 progress& at);

/// The container's cgroups, once they are there, if it mounts them: for an init
/// that has nothing of the host's.
[[nodiscard]] outcome open_cgroup_trees(const plan::launch_plan& plan,
                                        host_trees& to, progress& at);

} // namespace troupe::launch
