#include "bench/floor/writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace troupe::floor {

namespace {

bool lies_in(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

std::uint64_t attributes_of(const plan::mount& mount) {
  return (mount.rec_attr_set & ~mount.attr_clear) | mount.attr_set;
}

std::string joined(const std::vector<std::string>& data) {
  std::string out;
  for (const auto& x : data)
    out += (out.empty() ? "" : ",") + x;
  return out;
}

} // namespace

unsigned long mount_flags(std::uint64_t attributes) noexcept {
  struct pair {
    std::uint64_t attribute;
    unsigned long flag;
  };
  constexpr std::array pairs{pair{MOUNT_ATTR_RDONLY, MS_RDONLY},
                             pair{MOUNT_ATTR_NOSUID, MS_NOSUID},
                             pair{MOUNT_ATTR_NODEV, MS_NODEV},
                             pair{MOUNT_ATTR_NOEXEC, MS_NOEXEC},
                             pair{MOUNT_ATTR_NOATIME, MS_NOATIME},
                             pair{MOUNT_ATTR_STRICTATIME, MS_STRICTATIME}};
  auto out = 0UL;
  for (const auto& x : pairs)
    if ((attributes & x.attribute) != 0)
      out |= x.flag;
  return out;
}

void writer::namespaces() {
  inside({.what = op::new_session});
  if ((plan_.namespaces.clone_flags & CLONE_NEWCGROUP) != 0)
    inside({.what = op::unshare, .n = CLONE_NEWCGROUP});
  if (plan_.loopback_up)
    inside({.what = op::loopback});
  if (!plan_.hostname.empty())
    inside({.what = op::host_name, .a = keep(plan_.hostname)});
  if (!plan_.domainname.empty())
    inside({.what = op::domain_name, .a = keep(plan_.domainname)});
}

/// The image has its mount points (`place` makes sure); a fresh tmpfs has none.
void writer::make_target(const std::string& path) {
  const auto in_fresh = std::ranges::any_of(
    fresh_, [&](const auto& x) { return path != x && lies_in(path, x); });
  if (in_fresh)
    inside(
      {.what = op::make_directory, .a = keep(below_root(path)), .n = 0755});
}

/// One directory per hierarchy in a tmpfs, and a link for each other name.
void writer::place_cgroups(const plan::mount& mount, unsigned long flags) {
  const auto* target = keep(below_root(mount.target));
  inside({.what = op::mount,
          .a = "tmpfs",
          .b = target,
          .c = "tmpfs",
          .m = reinterpret_cast<unsigned long>("mode=755")});
  std::set<std::string> made;
  for (const auto& dir : plan_.cgroup.dirs) {
    const auto name = std::filesystem::path{dir.mount}.filename().string();
    if (made.insert(name).second) {
      const auto* own_target = keep(target + ("/" + name));
      inside({.what = op::make_directory, .a = own_target, .n = 0755});
      inside({.what = op::mount,
              .a = keep(own(dir)),
              .b = own_target,
              .n = MS_BIND});
      inside({.what = op::mount,
              .b = own_target,
              .n = MS_REMOUNT | MS_BIND | flags});
    }
    const auto& alias = dir.controller;
    if (!alias.empty() && alias != name
        && alias.find_first_of("=/") == std::string::npos)
      inside(
        {.what = op::link, .a = keep(name), .b = keep(target + ("/" + alias))});
  }
  inside({.what = op::mount, .b = target, .n = MS_REMOUNT | MS_BIND | flags});
}

outcome writer::place(const plan::mount& mount) {
  const auto flags = mount_flags(attributes_of(mount));
  make_target(mount.target);
  if (mount.kind == plan::mount_kind::cgroup) {
    place_cgroups(mount, flags);
    return {};
  }
  if (mount.kind != plan::mount_kind::filesystem || mount.copy_up
      || mount.idmap != plan::mount_idmap::none)
    return fail(fault::unsupported,
                "the floor does not know the mount " + mount.target);
  const auto* data = mount.data.empty() ? nullptr : keep(joined(mount.data));
  inside({.what = op::mount,
          .a = keep(mount.source.empty() ? mount.type : mount.source),
          .b = keep(below_root(mount.target)),
          .c = keep(mount.type),
          .n = flags,
          .m = reinterpret_cast<unsigned long>(data)});
  if (mount.type == "tmpfs")
    fresh_.push_back(mount.target);
  return {};
}

/// Looked at on the host, whose procfs and sysfs have the same names: what is
/// not there costs nothing.
void writer::mask(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return;
  const auto* target = keep(below_root(path));
  if (!S_ISDIR(info.st_mode)) {
    inside({.what = op::mount, .a = "dev/null", .b = target, .n = MS_BIND});
  } else if (covered_ != nullptr) {
    inside({.what = op::mount, .a = covered_, .b = target, .n = MS_BIND});
  } else {
    inside({.what = op::mount,
            .a = "tmpfs",
            .b = target,
            .c = "tmpfs",
            .n = MS_RDONLY});
    covered_ = target;
  }
}

void writer::make_readonly(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return;
  auto flags = 0UL; // of the mount that it lies in
  for (const auto& mount : plan_.rootfs.mounts)
    if (lies_in(path, mount.target))
      flags = mount_flags(attributes_of(mount));
  const auto* target = keep(below_root(path));
  inside({.what = op::mount, .a = target, .b = target, .n = MS_BIND});
  inside({.what = op::mount,
          .b = target,
          .n = MS_REMOUNT | MS_BIND | MS_RDONLY | flags});
}

outcome writer::file_system() {
  const auto& rootfs = plan_.rootfs;
  const auto* root = keep(rootfs.path);
  // Private at once: nothing of the container is anybody's peer.
  inside({.what = op::mount, .b = "/", .n = MS_PRIVATE | MS_REC});
  inside({.what = op::mount, .a = root, .b = root, .n = MS_BIND | MS_REC});
  inside({.what = op::working_dir, .a = root});
  inside({.what = op::file_mask});
  for (const auto& mount : rootfs.mounts)
    TROUPE_CHECK(place(mount));
  for (const auto& x : rootfs.devices) {
    if (x.uid != 0 || x.gid != 0)
      return fail(fault::unsupported, "the floor does not know device owners");
    inside({.what = op::node,
            .a = keep(below_root(x.path)),
            .n = x.mode,
            .m = makedev(x.major, x.minor)});
  }
  for (const auto& x : rootfs.symlinks)
    inside(
      {.what = op::link, .a = keep(x.target), .b = keep(below_root(x.path))});
  for (const auto& x : rootfs.masked)
    mask(x.path);
  for (const auto& x : rootfs.readonly_paths)
    make_readonly(x.path);
  inside({.what = op::pivot});
  if (rootfs.readonly)
    inside(
      {.what = op::mount, .b = "/", .n = MS_REMOUNT | MS_BIND | MS_RDONLY});
  return {};
}

} // namespace troupe::floor
