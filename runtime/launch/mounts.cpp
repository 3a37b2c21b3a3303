#include "runtime/launch/mounts.hpp"

#include "runtime/linux/classic_mount.hpp"
#include "runtime/linux/copy_tree.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/rootfs.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <span>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

bool lies_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

/// Refuses what no honest image needs: a target that is the root itself, and
/// one that ends up in procfs or sysfs though it is not written so, because a
/// symlink of the image leads there (CVE-2019-16884, CVE-2019-19921).
outcome check_target(int target, int root, const std::string& path) {
  struct stat there {};
  struct stat top {};
  struct statfs system {};
  if (::fstat(target, &there) != 0 || ::fstat(root, &top) != 0
      || ::fstatfs(target, &system) != 0)
    return fail_os(errno, "fstat", path);
  if (there.st_dev == top.st_dev && there.st_ino == top.st_ino)
    return fail_os(EINVAL, "mount target is the root:", path);
  const auto kernel_files = system.f_type == PROC_SUPER_MAGIC
                            || system.f_type == SYSFS_MAGIC;
  if (kernel_files && !lies_in(path, "/proc") && !lies_in(path, "/sys"))
    return fail_os(ELOOP, "a symlink leads into procfs or sysfs:", path);
  return {};
}

/// Opens the place to mount on, a directory or a file as what goes there is.
/// procfs and sysfs themselves follow no symlink at all (CVE-2023-27561).
result<sys::unique_fd> open_target(const plan::mount& mount, bool directory,
                                   int root) {
  const auto path = sys::lexically_clean(mount.target);
  const auto links = mount.type == "proc" || mount.type == "sysfs"
                       ? sys::symlinks::refuse
                       : sys::symlinks::follow;
  TROUPE_TRY(auto target, directory ? sys::make_directory(root, path, links)
                                    : sys::make_file(root, path));
  TROUPE_CHECK(check_target(target.get(), root, path));
  return target;
}

result<bool> is_directory(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_os(errno, "fstat", "mount source");
  return S_ISDIR(info.st_mode);
}

/// Fills a new file system with what it is going to cover.
outcome copy_up(const plan::mount& mount, int filesystem, int root) {
  constexpr auto how = O_RDONLY | O_DIRECTORY;
  TROUPE_TRY(const auto from, sys::open_in_root(root, mount.target, how));
  TROUPE_TRY(const auto to, sys::open_in_root(filesystem, "/", how));
  struct stat info {};
  if (::fstat(from.get(), &info) != 0
      || ::fchown(to.get(), info.st_uid, info.st_gid) != 0
      || ::fchmod(to.get(), info.st_mode & 07777) != 0)
    return fail_os(errno, "copy up", mount.target);
  return sys::copy_tree(from.get(), to.get());
}

result<sys::unique_fd> make_filesystem(const plan::mount& mount,
                                       std::uint64_t attributes, int target) {
  if (sys::is_too_long(mount.data))
    return sys::make_filesystem_classic(mount.type, mount.source, mount.data,
                                        attributes, target);
  return sys::make_filesystem(mount.type, mount.source, mount.data, attributes);
}

/// What a mount of one file system ends up with: there is nothing below it yet,
/// so the words with an `r` are its own, said before the others.
std::uint64_t attributes_of(const plan::mount& mount) {
  return (mount.rec_attr_set & ~mount.attr_clear) | mount.attr_set;
}

outcome place_filesystem(const plan::mount& mount, int idmap, int root) {
  const auto attributes = attributes_of(mount);
  // A directory that is made for the mount has no mode or content to keep.
  const auto copies = mount.copy_up
                      && sys::open_in_root(root, mount.target, O_PATH);
  TROUPE_TRY(const auto target, open_target(mount, true, root));
  TROUPE_TRY(
    const auto made,
    make_filesystem(mount, mount.copy_up ? 0 : attributes, target.get()));
  if (copies)
    TROUPE_CHECK(copy_up(mount, made.get(), root));
  if (idmap >= 0)
    TROUPE_CHECK(sys::idmap_mount(made.get(), idmap, false, mount.target));
  auto change = sys::mount_change{0, 0, mount.propagation, false};
  if (mount.copy_up) {
    change.set = attributes;
    change.clear = mount.attr_clear | mount.rec_attr_clear;
  }
  TROUPE_CHECK(sys::change_mount(made.get(), change, mount.target));
  return sys::attach_mount(made.get(), target.get(), mount.target);
}

/// Changes the mount that is there. No symlink of the image may choose which.
outcome change_mounted(const plan::mount& mount, int root) {
  const auto path = sys::lexically_clean(mount.target);
  TROUPE_TRY(const auto there,
             sys::open_in_root(root, path, O_PATH, sys::symlinks::refuse));
  TROUPE_TRY(const auto mounted, sys::is_mount(there.get()));
  if (!mounted)
    return fail_os(EINVAL, "remount: nothing is mounted on", path);
  if (!mount.data.empty())
    TROUPE_CHECK(sys::reconfigure_filesystem(there.get(), mount.data, path));
  TROUPE_CHECK(sys::change_mount(
    there.get(), {mount.rec_attr_set, mount.rec_attr_clear, 0, true}, path));
  TROUPE_CHECK(sys::change_mount(
    there.get(), {mount.attr_set, mount.attr_clear, 0, false}, path));
  return sys::change_mount(
    there.get(), {0, 0, mount.propagation, mount.propagation_recursive}, path);
}

outcome place_bind(const plan::mount& mount, int tree, int root) {
  TROUPE_TRY(const auto directory, is_directory(tree));
  TROUPE_TRY(const auto target, open_target(mount, directory, root));
  return sys::attach_mount(tree, target.get(), mount.target);
}

using trees = std::span<const sys::unique_fd>;

/// The container's own directory of its i-th hierarchy. In a cgroup namespace
/// such a bind is the same as a mount of the hierarchy: both have this
/// directory as their root.
outcome attach_cgroup(const plan::mount& mount, const plan::cgroup& cgroup,
                      std::size_t i, trees made, int target) {
  sys::unique_fd own;
  if (made.empty()) {
    const auto& dir = cgroup.dirs[i];
    TROUPE_TRY(own, sys::clone_tree(AT_FDCWD, dir.mount + dir.path, false));
  }
  const auto tree = made.empty() ? own.get() : made[i].get();
  TROUPE_CHECK(sys::change_mount(
    tree, {attributes_of(mount), mount.attr_clear, MS_PRIVATE, false},
    mount.target));
  return sys::attach_mount(tree, target, mount.target);
}

/// One hierarchy below the tmpfs `base`: a directory named as the host's mount
/// is (`cpu,cpuacct`), and a link for a controller of another name (`cpu`).
outcome place_hierarchy(const plan::mount& mount, const plan::cgroup& cgroup,
                        std::size_t i, trees made, int base) {
  const auto& dir = cgroup.dirs[i];
  const auto name = dir.mount.substr(dir.mount.rfind('/') + 1);
  const auto fresh = ::mkdirat(base, name.c_str(), 0755) == 0;
  if (!fresh && errno != EEXIST)
    return fail_os(errno, "mkdir", name);
  if (fresh) {
    TROUPE_TRY(const auto target,
               sys::open_in_root(base, name, O_PATH | O_DIRECTORY));
    TROUPE_CHECK(attach_cgroup(mount, cgroup, i, made, target.get()));
  }
  const auto& alias = dir.controller;
  if (!alias.empty() && alias != name
      && alias.find_first_of("=/") == std::string::npos
      && ::symlinkat(name.c_str(), base, alias.c_str()) != 0)
    return fail_os(errno, "symlink", alias);
  return {};
}

outcome place_cgroups(const plan::mount& mount, const plan::cgroup& cgroup,
                      trees made, int root) {
  if (cgroup.dirs.empty())
    return fail_os(EOPNOTSUPP, "mount cgroups", "the container has none");
  TROUPE_TRY(const auto target, open_target(mount, true, root));
  if (cgroup.mode == plan::cgroup_mode::v2)
    return attach_cgroup(mount, cgroup, 0, made, target.get());
  const auto data = std::vector<std::string>{"mode=755"};
  TROUPE_TRY(const auto base, sys::make_filesystem("tmpfs", "tmpfs", data, 0));
  TROUPE_CHECK(sys::attach_mount(base.get(), target.get(), mount.target));
  for (auto i = std::size_t{0}; i < cgroup.dirs.size(); ++i)
    TROUPE_CHECK(place_hierarchy(mount, cgroup, i, made, base.get()));
  return sys::change_mount(base.get(),
                           {attributes_of(mount), mount.attr_clear, 0, false},
                           mount.target);
}

} // namespace

outcome place_mount(const plan::mount& mount, const plan::cgroup& cgroup,
                    const host_side& with, int root) {
  switch (mount.kind) {
  case plan::mount_kind::bind:
    return place_bind(mount, with.tree, root);
  case plan::mount_kind::cgroup:
    return place_cgroups(mount, cgroup, with.cgroups, root);
  case plan::mount_kind::remount:
    return change_mounted(mount, root);
  case plan::mount_kind::filesystem:
    break;
  }
  return place_filesystem(mount, with.idmap, root);
}

} // namespace troupe::launch
