#include "runtime/launch/spawn.hpp"

#include "runtime/launch/handshake.hpp"
#include "runtime/linux/descriptors.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>
#include <cstring>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// time_namespaces(7): offsets are set before the first process enters, which
/// the next child does.
outcome make_time_namespace(const plan::namespaces& in) {
  TROUPE_CHECK(sys::unshare_namespaces(CLONE_NEWTIME, "time"));
  TROUPE_TRY(const auto proc, sys::private_proc::open());
  std::string lines;
  for (const auto& x : in.time_offsets)
    lines += std::to_string(x.clock) + " " + std::to_string(x.secs) + " "
             + std::to_string(x.nanosecs) + "\n";
  return proc.write(std::to_string(::getpid()) + "/timens_offsets", lines);
}

/// The runtime MUST generate an error if the path is of another kind; and who
/// joins our own mount namespace would mount on the host.
outcome check_join(const plan::namespace_join& join, int fd) {
  const auto type = ::ioctl(fd, NS_GET_NSTYPE);
  if (type < 0)
    return fail_os(errno, "not a namespace:", join.path);
  if (static_cast<std::uint64_t>(type) != join.flag)
    return fail_os(EINVAL, "a namespace of another type:", join.path);
  if (join.flag != CLONE_NEWNS)
    return {};
  struct stat theirs {};
  struct stat ours {};
  if (::fstat(fd, &theirs) != 0 || ::stat("/proc/self/ns/mnt", &ours) != 0)
    return fail_os(errno, "stat", join.path);
  if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
    return fail_os(EINVAL, "the runtime's own mount namespace:", join.path);
  return {};
}

result<std::vector<sys::unique_fd>> open_joins(const plan::namespaces& in,
                                               progress& at) {
  std::vector<sys::unique_fd> out;
  at = {plan::phase::join_namespace, 0};
  for (const auto& join : in.joins) {
    TROUPE_TRY(auto fd, sys::open_file(AT_FDCWD, join.path,
                                       O_RDONLY | O_NONBLOCK | O_NOCTTY));
    TROUPE_CHECK(check_join(join, fd.get()));
    out.push_back(std::move(fd));
    ++at.index;
  }
  return out;
}

/// Enters what is to be joined: the user namespace last, because the rights
/// over all the others are the host's; or first, for an ordinary user, who has
/// rights only over what belongs to it.
outcome enter_joins(const plan::namespaces& in, progress& at) {
  TROUPE_TRY(const auto fds, open_joins(in, at));
  for (const auto user : {in.unprivileged_maps, !in.unprivileged_maps})
    for (at.index = 0; at.index < fds.size(); ++at.index) {
      const auto& join = in.joins[at.index];
      if ((join.flag == CLONE_NEWUSER) == user)
        TROUPE_CHECK(
          sys::enter_namespace(fds[at.index].get(), join.flag, join.path));
    }
  return {};
}

result<sys::cloned> enter_and_clone(const plan::namespaces& in,
                                    std::uint64_t made, int cgroup,
                                    progress& at) {
  auto flags = in.clone_flags & ~std::uint64_t{CLONE_NEWCGROUP} & ~made;
  if (!in.time_offsets.empty()) {
    at = {plan::phase::clone, 0};
    TROUPE_CHECK(make_time_namespace(in));
    flags &= ~std::uint64_t{CLONE_NEWTIME};
  }
  TROUPE_CHECK(enter_joins(in, at));
  at = {plan::phase::clone, 0};
  return sys::clone_process(sys::parentage::sibling, flags, cgroup);
}

/// In the fork: waits for init, or for why there is none.
result<sys::cloned> receive_init(int line, progress& at) {
  TROUPE_TRY(auto packet, sys::receive_packet(line));
  auto sent = report{};
  if (packet.closed || packet.bytes.size() != sizeof(sent))
    return fail(fault::unavailable, "the process that makes init is gone");
  std::memcpy(&sent, packet.bytes.data(), sizeof(sent));
  at = {sent.phase, sent.index};
  if (sent.kind == report_kind::failed || packet.fds.empty())
    return fail(failure{classify(sent.os_errno), sent.os_errno,
                        std::string{sent.subject_text()}});
  return sys::cloned{sent.pid, std::move(packet.fds.front())};
}

/// In the original: hands init over, lets go of every line, and ends as the
/// fork ends.
[[noreturn]] void hand_over(const result<sys::cloned>& init, const progress& at,
                            int line, int fork) {
  auto packet = init ? make_report(report_kind::spawned, at)
                     : make_report(report_kind::failed, at, init.error());
  packet.pid = init ? init->pid : 0;
  const auto sent = send_report(line, packet, init ? init->pidfd.get() : -1);
  const auto alone = sys::close_all_but({fork});
  const auto ended = sys::wait_for_exit(fork);
  ::_exit(sent && alone && ended ? ended->shell_code() : 1);
}

} // namespace

result<sys::cloned> spawn(const plan::namespaces& in, std::uint64_t made,
                          int cgroup, progress& at) {
  if (in.joins.empty() && in.time_offsets.empty())
    return enter_and_clone(in, made, cgroup, at);
  at = {plan::phase::clone, 0};
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  TROUPE_TRY(const auto fork, sys::clone_process(sys::parentage::own, 0, -1));
  if (fork.pid == 0) {
    line.second.reset();
    return receive_init(line.first.get(), at);
  }
  line.first.reset();
  auto init = enter_and_clone(in, made, cgroup, at);
  if (init && init->pid == 0)
    return init;
  hand_over(init, at, line.second.get(), fork.pidfd.get());
}

} // namespace troupe::launch
