#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <vector>

namespace troupe::launch {

/// What a container gets of the host's file systems: detached copies, made and
/// finished by the launcher in the host's mount namespace and with the host's
/// rights; init only places them.
struct host_trees {
  sys::unique_fd rootfs;
  std::vector<sys::unique_fd> mounts;  ///< As plan.rootfs.mounts; binds only.
  std::vector<sys::unique_fd> devices; ///< As plan.rootfs.devices; see below.
};

/// Whether a mount namespace is made for the container. Without one nothing is
/// ever mounted: its root is entered by chroot.
[[nodiscard]] bool has_own_mounts(const plan::launch_plan& plan) noexcept;

/// Whether init lives in a user namespace, new or joined: mknod(2) of a device
/// is refused there, so the host's node is bound instead.
[[nodiscard]] bool in_user_namespace(const plan::launch_plan& plan) noexcept;

/// Opens all of it. Nothing if the plan has no mount namespace of its own.
[[nodiscard]] result<host_trees> open_host_trees(const plan::launch_plan& plan,
                                                 progress& at);

} // namespace troupe::launch
