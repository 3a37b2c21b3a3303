#include "runtime/launch/root.hpp"

#include "runtime/launch/devices.hpp"
#include "runtime/launch/mounts.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/mount_table.hpp"
#include "runtime/linux/rootfs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::launch {

namespace {

/// Cuts the new mount namespace off from the host's and stacks the container's
/// root on "/": this needs no directory of the host, which a user namespace may
/// have no right to reach, and resolving from "/" still gives the host's files.
///
/// In a joined namespace only "/" itself is cut off, which is as much as hides
/// the container's mounts from the host: the others are not ours to change.
outcome attach_root(const plan::launch_plan& plan, int root) {
  const auto& rootfs = plan.rootfs;
  TROUPE_TRY(const auto host, sys::open_file(AT_FDCWD, "/", O_PATH));
  TROUPE_CHECK(
    sys::change_mount(host.get(),
                      {0, 0, rootfs.host_propagation & ~std::uint64_t{MS_REC},
                       !joins_mounts(plan)},
                      "/"));
  return sys::attach_mount(root, host.get(), rootfs.path);
}

/// /dev/null of the container, nothing else of that name (CVE-2025-31133).
result<sys::unique_fd> open_null(int root) {
  TROUPE_TRY(auto null, sys::open_in_root(root, "/dev/null", O_PATH));
  struct stat info {};
  if (::fstat(null.get(), &info) != 0)
    return fail_os(errno, "fstat", "/dev/null");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
    return fail_os(ENODEV, "/dev/null", "is not the character device 1:3");
  return null;
}

/// Nothing is in it, and its super block cannot be made writable. One for all
/// directories of a container: to remove any memory cgroup, the kernel goes
/// through every super block of the host (memcg_reparent_list_lrus).
result<sys::unique_fd> empty_directory(const sys::unique_fd& first) {
  static const std::vector<std::string> readonly{"ro"};
  if (first)
    return sys::clone_tree(first.get(), "", false);
  return sys::make_filesystem("tmpfs", "tmpfs", readonly, MOUNT_ATTR_RDONLY);
}

bool is_missing(const failure& why) {
  return why.os_errno == ENOENT || why.os_errno == ENOTDIR;
}

/// `first`: the first directory's cover.
outcome mask(int root, const std::string& path, sys::unique_fd& first) {
  const auto target = sys::open_in_root(root, path, O_PATH);
  if (!target && is_missing(target.error()))
    return {};
  if (!target)
    return fail(target.error());
  struct stat info {};
  if (::fstat(target->get(), &info) != 0)
    return fail_os(errno, "fstat", path);
  if (S_ISDIR(info.st_mode)) {
    TROUPE_TRY(auto cover, empty_directory(first));
    TROUPE_CHECK(sys::attach_mount(cover.get(), target->get(), path));
    if (!first)
      first = std::move(cover);
    return {};
  }
  TROUPE_TRY(const auto null, open_null(root));
  TROUPE_TRY(const auto cover, sys::clone_tree(null.get(), "", false));
  return sys::attach_mount(cover.get(), target->get(), path);
}

outcome make_readonly(int root, const std::string& path) {
  const auto target = sys::open_in_root(root, path, O_PATH);
  if (!target && is_missing(target.error()))
    return {};
  if (!target)
    return fail(target.error());
  TROUPE_TRY(const auto copy, sys::clone_tree(target->get(), "", true));
  TROUPE_CHECK(
    sys::change_mount(copy.get(), {MOUNT_ATTR_RDONLY, 0, 0, true}, path));
  return sys::attach_mount(copy.get(), target->get(), path);
}

/// Where pivot_root(2) is not to be used, nothing of what the host has mounted
/// stays in reach below the container's root, its procfs least of all.
outcome enter_without_pivot(int root) {
  TROUPE_TRY(const auto host, sys::open_file(AT_FDCWD, "/", O_PATH));
  TROUPE_CHECK(sys::detach_children(host.get(), root));
  return sys::chroot_into(root);
}

} // namespace

result<sys::unique_fd> build_root(const plan::launch_plan& plan,
                                  const host_trees& trees, progress& at) {
  const auto& rootfs = plan.rootfs;
  at = {plan::phase::rootfs, 0};
  if (!has_own_mounts(plan))
    return sys::open_file(AT_FDCWD, rootfs.path, O_PATH | O_DIRECTORY);
  const auto tree = trees.rootfs.get();
  TROUPE_CHECK(attach_root(plan, tree));
  at = {plan::phase::mount, 0};
  for (const auto& mount : rootfs.mounts) {
    const auto i = at.index;
    TROUPE_CHECK(place_mount(
      mount, plan.cgroup,
      {trees.mounts[i].get(), trees.idmaps[i].get(), trees.cgroups}, tree));
    ++at.index;
  }
  TROUPE_CHECK(fill_dev(rootfs, trees, tree, at));
  at = {plan::phase::cwd, 0};
  TROUPE_TRY([[maybe_unused]] const auto cwd,
             sys::make_directory(tree, plan.process.cwd));
  auto root = sys::unique_fd{::fcntl(tree, F_DUPFD_CLOEXEC, 3)};
  if (!root)
    return fail_os(errno, "fcntl", "F_DUPFD_CLOEXEC");
  return root;
}

outcome enter_root(const plan::launch_plan& plan, int root,
                   bool over_empty_root, progress& at) {
  at = {plan::phase::pivot_root, 0};
  // A pivot in a joined namespace would change the root of all who live there.
  if (!has_own_mounts(plan) || joins_mounts(plan) || over_empty_root)
    return sys::chroot_into(root);
  if (plan.rootfs.no_pivot)
    return enter_without_pivot(root);
  return sys::pivot_into(root);
}

outcome guard_root(const plan::launch_plan& plan, int root, progress& at) {
  if (!has_own_mounts(plan))
    return {};
  const auto& rootfs = plan.rootfs;
  at = {plan::phase::masked_path, 0};
  sys::unique_fd cover;
  for (const auto& x : rootfs.masked) {
    TROUPE_CHECK(mask(root, x.path, cover));
    ++at.index;
  }
  at = {plan::phase::readonly_path, 0};
  for (const auto& x : rootfs.readonly_paths) {
    TROUPE_CHECK(make_readonly(root, x.path));
    ++at.index;
  }
  at = {plan::phase::readonly_root, 0};
  if (rootfs.readonly)
    TROUPE_CHECK(
      sys::change_mount(root, {MOUNT_ATTR_RDONLY, 0, 0, false}, "/"));
  // Last: nothing of an unbindable root can be bound again, as read-only paths
  // are.
  at = {plan::phase::pivot_root, 0};
  const auto propagation = rootfs.propagation;
  return sys::change_mount(
    root,
    {0, 0, propagation & ~std::uint64_t{MS_REC}, (propagation & MS_REC) != 0},
    "/");
}

} // namespace troupe::launch
