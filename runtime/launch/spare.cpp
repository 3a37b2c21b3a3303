#include "runtime/launch/spare.hpp"

#include "runtime/launch/handshake.hpp"
#include "runtime/linux/classic_mount.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/loopback.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/namespaces.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

namespace troupe::launch {

namespace {

result<sys::unique_fd> own_namespace(const std::string& kind) {
  return sys::open_file(AT_FDCWD, "/proc/self/ns/" + kind, O_RDONLY);
}

outcome leave_network(spare& out) {
  TROUPE_TRY(auto host, own_namespace("net"));
  TROUPE_CHECK(sys::unshare_namespaces(CLONE_NEWNET, "network"));
  out.host_network = std::move(host);
  return sys::bring_loopback_up();
}

/// In a new mount namespace: everything of the host's goes.
outcome empty_out() {
  const std::vector<std::string> readonly{"ro"};
  TROUPE_TRY(const auto top, sys::open_file(AT_FDCWD, "/", O_PATH));
  TROUPE_CHECK(sys::change_mount(top.get(), {0, 0, MS_PRIVATE, true}, "/"));
  TROUPE_TRY(const auto empty, sys::make_filesystem("tmpfs", "none", readonly,
                                                    MOUNT_ATTR_RDONLY));
  TROUPE_CHECK(sys::attach_mount(empty.get(), top.get(), "/"));
  return sys::pivot_into(empty.get());
}

outcome back(const sys::unique_fd& mounts, const sys::unique_fd& root) {
  TROUPE_CHECK(sys::enter_namespace(mounts.get(), CLONE_NEWNS, "of the host"));
  return sys::chroot_into(root.get());
}

/// Leaves the process in a new mount namespace with nothing in it, if it can.
outcome leave_mounts(spare_ground& out) {
  TROUPE_TRY(out.host_root, sys::open_file(AT_FDCWD, "/", O_PATH));
  TROUPE_TRY(out.host_mounts, own_namespace("mnt"));
  TROUPE_CHECK(sys::unshare_namespaces(CLONE_NEWNS, "mount"));
  TROUPE_TRY(out.empty_mounts, own_namespace("mnt"));
  return empty_out();
}

/// In a copy of the empty one, and back.
outcome copy_mounts(const spare_ground& from, spare& out) {
  TROUPE_TRY(const auto own, sys::open_file(AT_FDCWD, "/proc/self/ns", O_PATH));
  TROUPE_CHECK(sys::enter_namespace(from.empty_mounts.get(), CLONE_NEWNS,
                                    "that is empty"));
  TROUPE_CHECK(sys::unshare_namespaces(CLONE_NEWNS, "mount"));
  TROUPE_TRY(out.empty_mounts, sys::open_file(own.get(), "mnt", O_RDONLY));
  return {};
}

/// Whether init makes it without a look at the host's files.
bool needs_no_path(const plan::mount& x) {
  constexpr std::array<std::string_view, 5> types{"proc", "sysfs", "tmpfs",
                                                  "devpts", "mqueue"};
  if (x.kind != plan::mount_kind::filesystem)
    return true;
  return std::ranges::find(types, x.type) != types.end()
         && !sys::is_too_long(x.data);
}

bool is_cgroup(const plan::mount& x) {
  return x.kind == plan::mount_kind::cgroup;
}

bool fits(const plan::launch_plan& plan) {
  return plan.namespaces.joins.empty() && plan.namespaces.time_offsets.empty()
         && !is_accompanied(plan);
}

bool fits_mounts(const plan::launch_plan& plan) {
  const auto& mounts = plan.rootfs.mounts;
  return (plan.namespaces.clone_flags & CLONE_NEWNS) != 0
         && !plan.rootfs.no_pivot
         && std::ranges::all_of(mounts, needs_no_path)
         // Their trees are made once.
         && std::ranges::count_if(mounts, is_cgroup) <= 1;
}

} // namespace

result<spare_ground> make_spare_ground() {
  spare_ground out;
  const auto left = leave_mounts(out);
  if (out.host_mounts)
    TROUPE_CHECK(back(out.host_mounts, out.host_root));
  if (!left)
    out = {};
  return out;
}

result<spare> make_spare(spare_ground ground) {
  spare out;
  // Who cannot get back is of no use; a launch without the rest makes its own.
  if (ground.empty_mounts) {
    const auto copied = copy_mounts(ground, out);
    TROUPE_CHECK(back(ground.host_mounts, ground.host_root));
    if (copied) {
      out.host_mounts = std::move(ground.host_mounts);
      out.host_root = std::move(ground.host_root);
    }
  }
  (void)leave_network(out);
  return out;
}

outcome return_to_host(const spare& from) {
  return back(from.host_mounts, from.host_root);
}

result<taken> take_spare(const plan::launch_plan& plan, spare& of) {
  taken out;
  const auto fitting = fits(plan);
  out.mounts = fitting && of.empty_mounts && fits_mounts(plan);
  out.network = fitting && of.host_network
                && (plan.namespaces.clone_flags & CLONE_NEWNET) != 0;
  if (of.host_network && !out.network)
    TROUPE_CHECK(
      sys::enter_namespace(of.host_network.get(), CLONE_NEWNET, "of the host"));
  of.host_network.reset();
  if (!out.mounts) {
    of.empty_mounts.reset();
    of.host_mounts.reset();
    of.host_root.reset();
  }
  return out;
}

} // namespace troupe::launch
