#include "runtime/linux/namespaces.hpp"

#include "runtime/linux/capabilities.hpp"

#include <cerrno>
#include <csignal>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

outcome set_groups(std::span<const std::uint32_t> groups) {
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) == 0)
    return {};
  // EPERM is the lack of the capability, or that setgroups is denied.
  const auto why = errno;
  if (why == EPERM && groups.empty() && has_effective(CAP_SETGID))
    return {};
  return fail_os(why, "setgroups", "");
}

} // namespace

result<cloned> clone_process(parentage parent, std::uint64_t flags,
                             int cgroup) {
  auto pidfd = -1;
  auto args = clone_args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  if (parent == parentage::sibling)
    args.flags |= CLONE_PARENT; // demands an exit signal of 0
  else
    args.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  const auto pid = ::syscall(SYS_clone3, &args, sizeof(args));
  if (pid < 0)
    return fail_os(errno, "clone3", "");
  if (pid == 0)
    return cloned{};
  return cloned{static_cast<pid_t>(pid), unique_fd{pidfd}};
}

outcome enter_namespace(int fd, std::uint64_t flags, std::string_view subject) {
  if (::setns(fd, static_cast<int>(flags)) != 0)
    return fail_os(errno, "setns", subject);
  return {};
}

outcome unshare_namespaces(std::uint64_t flags, std::string_view subject) {
  if (::unshare(static_cast<int>(flags)) != 0)
    return fail_os(errno, "unshare", subject);
  return {};
}

outcome set_ids(std::span<const std::uint32_t> groups, gid_t gid, uid_t uid) {
  TROUPE_CHECK(set_groups(groups));
  if (::syscall(SYS_setresgid, gid, gid, gid) != 0)
    return fail_os(errno, "setresgid", std::to_string(gid));
  if (::syscall(SYS_setresuid, uid, uid, uid) != 0)
    return fail_os(errno, "setresuid", std::to_string(uid));
  return {};
}

outcome become_root() {
  return set_ids({}, 0, 0);
}

} // namespace troupe::sys
