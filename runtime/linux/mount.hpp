#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The new mount API (Linux 5.2; mount_setattr 5.12): a mount is made detached,
/// finished, and only then placed on an open descriptor, so that no path is
/// ever resolved twice. Sources: open_tree(2), fsopen(2), fsmount(2),
/// mount_setattr(2), move_mount(2), pivot_root(2).
namespace troupe::sys {

/// A detached copy of the mount that `path` lies on, from `path` down; an empty
/// `path` means the descriptor `at` itself. `recursive` copies the mounts below
/// it too. Final symlinks are followed.
[[nodiscard]] result<unique_fd> clone_tree(int at, const std::string& path,
                                           bool recursive);

/// A new, detached mount of a new instance of filesystem `type`. `data` is as
/// in plan::mount::data. On failure the kernel's own explanation (the context's
/// log) is part of `what`. `attributes`: MOUNT_ATTR_*.
[[nodiscard]] result<unique_fd>
make_filesystem(const std::string& type, const std::string& source,
                std::span<const std::string> data, std::uint64_t attributes);

/// What mount_setattr(2) shall change.
struct mount_change {
  std::uint64_t set = 0;         ///< MOUNT_ATTR_*
  std::uint64_t clear = 0;       ///< MOUNT_ATTR_*
  std::uint64_t propagation = 0; ///< MS_SHARED, MS_SLAVE...; 0: leave.
  bool recursive = false;
};

/// Changes the mount behind `mount`; `subject` names it in a failure. A change
/// of nothing is no system call.
[[nodiscard]] outcome change_mount(int mount, const mount_change& change,
                                   std::string_view subject);

/// Gives the detached `mount` the id mapping of user namespace `user`
/// (MOUNT_ATTR_IDMAP, Linux 5.12). EINVAL: its file system cannot do it.
[[nodiscard]] outcome idmap_mount(int mount, int user, bool recursive,
                                  std::string_view subject);

/// Whether `fd` is the root of a mount (STATX_ATTR_MOUNT_ROOT, Linux 5.8).
[[nodiscard]] result<bool> is_mount(int fd);

/// Gives the file system of the mount whose root `mount` is other options,
/// fspick(2). They hold wherever else it is mounted too.
[[nodiscard]] outcome reconfigure_filesystem(int mount,
                                             std::span<const std::string> data,
                                             std::string_view subject);

/// Places the detached `mount` on `target`; both are then the same place.
[[nodiscard]] outcome attach_mount(int mount, int target,
                                   std::string_view subject);

/// Makes the mount behind `root` the root of this mount namespace and of this
/// process, and drops the old root with everything on it.
[[nodiscard]] outcome pivot_into(int root);

/// Makes `root`, which is stacked on "/" of this mount namespace, the process's
/// root by chroot(2), where pivot_root(2) cannot be used.
[[nodiscard]] outcome chroot_into(int root);

} // namespace troupe::sys
