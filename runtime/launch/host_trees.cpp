#include "runtime/launch/host_trees.hpp"

#include "runtime/launch/placement.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/user_namespace.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace troupe::launch {

namespace {

bool is_node(std::uint32_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode);
}

/// A copy of the container's root. It never becomes a peer of the host's mount;
/// only a `slave` receives what the host mounts below it.
result<sys::unique_fd> open_rootfs(const plan::rootfs& rootfs) {
  const auto propagation = (rootfs.propagation & MS_SLAVE) != 0
                             ? std::uint64_t{MS_SLAVE}
                             : std::uint64_t{MS_PRIVATE};
  TROUPE_TRY(auto tree, sys::clone_tree(AT_FDCWD, rootfs.path, true));
  TROUPE_CHECK(
    sys::change_mount(tree.get(), {0, 0, propagation, true}, rootfs.path));
  return tree;
}

result<sys::unique_fd> open_bind(const plan::mount& mount, int idmap,
                                 std::uint64_t host_propagation) {
  TROUPE_TRY(auto tree,
             sys::clone_tree(AT_FDCWD, mount.source, mount.recursive));
  const auto fd = tree.get();
  if (idmap >= 0)
    TROUPE_CHECK(sys::idmap_mount(
      fd, idmap, mount.idmap == plan::mount_idmap::recursive, mount.source));
  // Only who asks for `shared` stays a peer of the source, submounts included;
  // `slave` has to be made before `private` would cut the source off.
  if (mount.propagation != MS_SHARED)
    TROUPE_CHECK(sys::change_mount(fd, {0, 0, MS_SLAVE, true}, mount.source));
  if (mount.propagation != 0)
    TROUPE_CHECK(sys::change_mount(
      fd, {0, 0, mount.propagation, mount.propagation_recursive},
      mount.source));
  else
    TROUPE_CHECK(sys::change_mount(
      fd, {0, 0, host_propagation & ~std::uint64_t{MS_REC}, true},
      mount.source));
  TROUPE_CHECK(sys::change_mount(
    fd, {mount.rec_attr_set, mount.rec_attr_clear, 0, true}, mount.source));
  TROUPE_CHECK(sys::change_mount(
    fd, {mount.attr_set, mount.attr_clear, 0, false}, mount.source));
  return tree;
}

const plan::namespace_join* joined(const plan::namespaces& in,
                                   std::uint64_t flag) noexcept {
  const auto i = std::find_if(in.joins.begin(), in.joins.end(),
                              [&](const auto& x) { return x.flag == flag; });
  return i == in.joins.end() ? nullptr : &*i;
}

/// The user namespace whose mapping the mount gets.
result<sys::unique_fd> open_idmap(const plan::mount& mount,
                                  const plan::namespaces& in) {
  if (!mount.uid_map.empty())
    return sys::make_user_namespace(id_map_text(mount.uid_map),
                                    id_map_text(mount.gid_map));
  const auto* user = joined(in, CLONE_NEWUSER);
  if (user == nullptr)
    return fail_os(EINVAL, "idmap: no mapping for", mount.target);
  return sys::open_file(AT_FDCWD, user->path, O_RDONLY);
}

/// The node's name below /dev by what sysfs says of its number.
std::string named_by_sysfs(const plan::device& device) {
  constexpr std::string_view key = "DEVNAME=";
  const auto path = std::string{S_ISCHR(device.mode) ? "/sys/dev/char/"
                                                     : "/sys/dev/block/"}
                    + std::to_string(device.major) + ":"
                    + std::to_string(device.minor) + "/uevent";
  const auto text = sys::read_file(AT_FDCWD, path);
  const auto found = text ? text->find(key) : std::string::npos;
  if (found == std::string::npos)
    return {};
  const auto name = found + key.size();
  return "/dev/" + text->substr(name, text->find('\n', name) - name);
}

/// The host's own node of `device`, checked by inode.
result<sys::unique_fd> open_node(const plan::device& device) {
  for (const auto& path : {device.path, named_by_sysfs(device)}) {
    auto tree = path.empty() ? result<sys::unique_fd>{}
                             : sys::clone_tree(AT_FDCWD, path, false);
    struct stat info {};
    if (tree && *tree && ::fstat(tree->get(), &info) == 0
        && (info.st_mode & S_IFMT) == (device.mode & S_IFMT)
        && info.st_rdev == makedev(device.major, device.minor))
      return tree;
  }
  return fail_os(ENODEV, "bind the host's device", device.path);
}

} // namespace

bool joins_mounts(const plan::launch_plan& plan) noexcept {
  return joined(plan.namespaces, CLONE_NEWNS) != nullptr;
}

bool has_own_mounts(const plan::launch_plan& plan) noexcept {
  return (plan.namespaces.clone_flags & CLONE_NEWNS) != 0 || joins_mounts(plan);
}

bool in_user_namespace(const plan::launch_plan& plan) noexcept {
  return (plan.namespaces.clone_flags & CLONE_NEWUSER) != 0
         || joined(plan.namespaces, CLONE_NEWUSER) != nullptr;
}

result<host_trees> open_host_trees(const plan::launch_plan& plan,
                                   progress& at) {
  host_trees out;
  if (!has_own_mounts(plan))
    return out;
  const auto& rootfs = plan.rootfs;
  at = {plan::phase::rootfs, 0};
  TROUPE_TRY(out.rootfs, open_rootfs(rootfs));
  at = {plan::phase::mount, 0};
  for (const auto& mount : rootfs.mounts) {
    auto& tree = out.mounts.emplace_back();
    auto& idmap = out.idmaps.emplace_back();
    if (mount.idmap != plan::mount_idmap::none) {
      TROUPE_TRY(idmap, open_idmap(mount, plan.namespaces));
    }
    if (mount.kind == plan::mount_kind::bind) {
      TROUPE_TRY(tree, open_bind(mount, idmap.get(), rootfs.host_propagation));
    }
    ++at.index;
  }
  at = {plan::phase::device, 0};
  const auto bound = in_user_namespace(plan) || !sys::in_first_user_namespace();
  for (const auto& device : rootfs.devices) {
    auto& tree = out.devices.emplace_back();
    if (bound && is_node(device.mode)) {
      TROUPE_TRY(tree, open_node(device));
    }
    ++at.index;
  }
  return out;
}

outcome open_cgroup_trees(const plan::launch_plan& plan, host_trees& to,
                          progress& at) {
  const auto& mounts = plan.rootfs.mounts;
  const auto found = std::ranges::find(mounts, plan::mount_kind::cgroup,
                                       &plan::mount::kind);
  if (found == mounts.end())
    return {};
  at = {plan::phase::mount, static_cast<std::uint32_t>(found - mounts.begin())};
  for (const auto& dir : plan.cgroup.dirs) {
    TROUPE_TRY(to.cgroups.emplace_back(),
               sys::clone_tree(AT_FDCWD, dir.mount + dir.path, false));
  }
  return {};
}

} // namespace troupe::launch
