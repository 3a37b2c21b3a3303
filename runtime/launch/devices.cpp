#include "runtime/launch/devices.hpp"

#include "runtime/linux/mount.hpp"
#include "runtime/linux/rootfs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

outcome check_node(const plan::device& device, int directory,
                   const std::string& name) {
  struct stat info {};
  if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_os(errno, "stat", device.path);
  const auto node = S_ISCHR(device.mode) || S_ISBLK(device.mode);
  if ((info.st_mode & S_IFMT) != (device.mode & S_IFMT)
      || (node && info.st_rdev != makedev(device.major, device.minor)))
    return fail_os(EEXIST, "something else is there:", device.path);
  return {};
}

outcome make_node(const plan::device& device, int root) {
  TROUPE_TRY(const auto where, sys::make_parent(root, device.path));
  const auto directory = where.directory.get();
  const auto* name = where.name.c_str();
  const auto made = ::mknodat(directory, name, device.mode,
                              makedev(device.major, device.minor))
                    == 0;
  if (!made && errno != EEXIST)
    return fail_os(errno, "mknod", device.path);
  TROUPE_CHECK(check_node(device, directory, where.name));
  if (made
      && ::fchownat(directory, name, device.uid, device.gid,
                    AT_SYMLINK_NOFOLLOW)
           != 0)
    return fail_os(errno, "chown", device.path);
  return {};
}

/// On a new file, or on the same node of the image's; as with mknod, whatever
/// else is there is not replaced.
outcome bind_node(const plan::device& device, int tree, int root) {
  TROUPE_TRY(const auto where, sys::make_parent(root, device.path));
  const auto directory = where.directory.get();
  const sys::unique_fd made{
    ::openat(directory, where.name.c_str(),
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made && errno != EEXIST)
    return fail_os(errno, "create", device.path);
  if (!made)
    TROUPE_CHECK(check_node(device, directory, where.name));
  TROUPE_TRY(const auto target, sys::open_in_root(directory, where.name, O_PATH,
                                                  sys::symlinks::refuse));
  return sys::attach_mount(tree, target.get(), device.path);
}

outcome make_symlink(const plan::symlink& link, int root) {
  TROUPE_TRY(const auto where, sys::make_parent(root, link.path));
  const auto directory = where.directory.get();
  const auto* name = where.name.c_str();
  if (::symlinkat(link.target.c_str(), directory, name) == 0)
    return {};
  char text[PATH_MAX];
  const auto n = errno == EEXIST
                   ? ::readlinkat(directory, name, text, sizeof(text))
                   : -1;
  if (n < 0 || link.target != std::string(text, static_cast<std::size_t>(n)))
    return fail_os(EEXIST, "symlink", link.path);
  return {};
}

} // namespace

outcome fill_dev(const plan::rootfs& rootfs, const host_trees& trees, int root,
                 progress& at) {
  at = {plan::phase::device, 0};
  for (const auto& device : rootfs.devices) {
    const auto& tree = trees.devices[at.index];
    TROUPE_CHECK(tree ? bind_node(device, tree.get(), root)
                      : make_node(device, root));
    ++at.index;
  }
  at = {plan::phase::symlink, 0};
  for (const auto& link : rootfs.symlinks) {
    TROUPE_CHECK(make_symlink(link, root));
    ++at.index;
  }
  return {};
}

} // namespace troupe::launch
