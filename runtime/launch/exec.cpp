#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/handshake.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/launch/placement.hpp"
#include "runtime/launch/process.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>
#include <sched.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// What the session's process has from its launcher, by inheritance.
struct session_side {
  const plan::exec_plan& plan;
  const lines& with;
  int line;
  const cgroup::entrance& entrance;
  int target; ///< Pidfd of the container's init.
  int root;   ///< Init's root, for a container without a mount namespace; -1.
  std::uint64_t entered; ///< CLONE_NEW*, by the launcher already.
};

/// A pid namespace is entered by the next child. An ordinary user enters the
/// user namespace before anything else: there they have the right to.
std::uint64_t entered_first(const plan::exec_plan& plan) {
  const auto user = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
  return plan.namespaces & static_cast<std::uint64_t>(CLONE_NEWPID | user);
}

/// The root of the container's init, if it is not entered with its mount
/// namespace.
result<sys::unique_fd> open_root(const plan::exec_plan& plan, int target) {
  if ((plan.namespaces & CLONE_NEWNS) != 0)
    return sys::unique_fd{};
  TROUPE_TRY(const auto proc, sys::private_proc::open());
  TROUPE_TRY(const auto info, proc.read(std::to_string(::getpid()) + "/fdinfo/"
                                        + std::to_string(target)));
  constexpr std::string_view key = "Pid:\t";
  const auto found = info.find(key);
  const auto pid = found == std::string::npos
                     ? 0
                     : std::atoi(info.c_str() + found + key.size());
  if (pid <= 0)
    return fail_os(ESRCH, "exec", "the container's init has ended");
  return proc.root_of(pid);
}

outcome enter_container(const session_side& session, progress& at) {
  const auto flags = session.plan.namespaces & ~session.entered;
  at = {plan::phase::join_namespace, 0};
  if (flags != 0)
    TROUPE_CHECK(
      sys::enter_namespace(session.target, flags, "of the container"));
  if ((session.plan.namespaces & CLONE_NEWUSER) != 0)
    TROUPE_CHECK(sys::become_root());
  at = {plan::phase::pivot_root, 0};
  if (session.root >= 0 && (::fchdir(session.root) != 0 || ::chroot(".") != 0))
    return fail_os(errno, "chroot", "to the container's root");
  return {};
}

outcome prepare(const session_side& session, progress& at) {
  at = {plan::phase::cgroup_place, 0};
  if (const auto entered = cgroup::enter_v1(session.entrance); !entered)
    return fail_at(at, entered.error());
  ::setsid(); // fails only for a group leader, which a fresh clone is not
  TROUPE_TRY([[maybe_unused]] const auto placed,
             hear(session.line, word::mapped, at));
  TROUPE_CHECK(enter_container(session, at));
  TROUPE_CHECK(check_executable(session.plan.process, at));
  return say(session.line, word::created);
}

[[noreturn]] void run_session(const session_side& session) {
  progress at;
  ::close(session.with.report); // its EOF tells the end of the launcher
  if (const auto ready = prepare(session, at); !ready) {
    (void)send_report(session.line,
                      make_report(report_kind::failed, at, ready.error()));
    ::_exit(1);
  }
  ::close(session.line);
  const auto started = await_start(session.with.start);
  if (!started || !*started)
    ::_exit(0); // nobody is left who could start or reap this session
  const auto done = become_process(session.plan.process, session.with, at);
  (void)send_report(session.with.start,
                    make_report(report_kind::failed, at, done.error()));
  ::_exit(exit_code(at, done.error()));
}

outcome accompany(const plan::exec_plan& plan, const lines& with, int line,
                  const sys::cloned& session, progress& at) {
  auto spawned = make_report(report_kind::spawned, at);
  spawned.pid = session.pid;
  TROUPE_CHECK(send_report(with.report, spawned, session.pidfd.get()));
  TROUPE_CHECK(
    write_placement({}, plan.process.oom_score_adj, session.pid, at));
  TROUPE_CHECK(say(line, word::mapped));
  TROUPE_TRY([[maybe_unused]] const auto created,
             hear(line, word::created, at));
  return send_report(with.report, make_report(report_kind::created, at));
}

outcome exec(const plan::exec_plan& plan, const lines& with, int target,
             progress& at, sys::unique_fd& made) {
  TROUPE_CHECK(isolate({with.report, with.start, with.stdin_fd, with.stdout_fd,
                        with.stderr_fd, target}));
  if (plan.version != plan::plan_version)
    return fail_os(EPROTO, "plan version", std::to_string(plan.version));
  at = {plan::phase::console, 0};
  if (plan.process.terminal)
    return fail_os(EOPNOTSUPP, "terminal", "no console in this build");
  at = {plan::phase::prepare, 0};
  TROUPE_TRY(const auto root, open_root(plan, target));
  const auto entrance = cgroup::open_entrance(plan.cgroup);
  if (!entrance)
    return fail_at(at, entrance.error());
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  at = {plan::phase::join_namespace, 0};
  const auto first = entered_first(plan);
  if (first != 0)
    TROUPE_CHECK(sys::enter_namespace(target, first, "of the container"));
  at = {plan::phase::clone, 0};
  TROUPE_TRY(auto session, sys::clone_process(sys::parentage::sibling, 0,
                                              entrance->v2_dir.get()));
  if (session.pid == 0) {
    line.first.reset();
    run_session(
      {plan, with, line.second.get(), *entrance, target, root.get(), first});
  }
  line.second.reset();
  const auto done = accompany(plan, with, line.first.get(), session, at);
  made = std::move(session.pidfd);
  return done;
}

} // namespace

int run_exec(const plan::exec_plan& plan, const lines& with, int target) {
  progress at;
  sys::unique_fd session;
  const auto done = exec(plan, with, target, at, session);
  if (done)
    return 0;
  if (session)
    kill_and_wait(session.get());
  (void)send_report(with.report,
                    make_report(report_kind::failed, at, done.error()));
  return 1;
}

} // namespace troupe::launch
