#include "runtime/linux/namespaces.hpp"

#include <cerrno>
#include <csignal>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

bool has_effective(unsigned capability) {
  auto header = __user_cap_header_struct{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  return ::syscall(SYS_capget, &header, sets) == 0
         && (sets[capability / 32].effective >> capability % 32 & 1U) != 0;
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

outcome set_groups(const std::vector<gid_t>& groups) {
  if (::setgroups(groups.size(), groups.data()) == 0)
    return {};
  // EPERM is the lack of the capability, or that setgroups is denied.
  const auto why = errno;
  if (why == EPERM && groups.empty() && has_effective(CAP_SETGID))
    return {};
  return fail_os(why, "setgroups", "");
}

outcome become_root() {
  TROUPE_CHECK(set_groups({}));
  if (::setresgid(0, 0, 0) != 0)
    return fail_os(errno, "setresgid", "0");
  if (::setresuid(0, 0, 0) != 0)
    return fail_os(errno, "setresuid", "0");
  return {};
}

} // namespace troupe::sys
