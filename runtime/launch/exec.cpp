#include "config/base/fault_point.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/console.hpp"
#include "runtime/launch/handshake.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/launch/listener.hpp"
#include "runtime/launch/placement.hpp"
#include "runtime/launch/process.hpp"
#include "runtime/launch/resctrl.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"
#include "runtime/linux/sched.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>
#include <fcntl.h>
#include <optional>
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
  int target;   ///< Pidfd of the container's init.
  pid_t init;   ///< Its pid on the host.
  int root;     ///< Its root, for a container without a mount namespace; -1.
  int listener; ///< Connected seccomp listener, -1: none.
  std::uint64_t entered; ///< CLONE_NEW*, by the launcher already.
};

/// Whether a process of the container could have the right to trace us: not
/// from a user namespace of its own (ptrace(2), "Ptrace access mode checking";
/// `isolate` has made us non-dumpable).
bool may_be_traced(const plan::exec_plan& plan) {
  return (plan.namespaces & CLONE_NEWUSER) == 0;
}

/// A pid namespace is entered by the next child, and from then on everybody in
/// the container sees that child. So where they may trace it, it has to be born
/// with nothing that leads to the host (CVE-2016-9962): it is the launcher that
/// enters the other namespaces, too, unseen. Its cgroup namespace comes after
/// the cgroup. An ordinary user enters the user namespace before anything else:
/// there they have the right to.
std::uint64_t entered_first(const plan::exec_plan& plan) {
  auto first = std::uint64_t{CLONE_NEWPID};
  if (may_be_traced(plan))
    first |= CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  else if (::geteuid() != 0)
    first |= CLONE_NEWUSER;
  return plan.namespaces & first;
}

/// What only the host's side can see.
struct outside {
  pid_t init = 0; ///< The container's, where a listener is to be told.
  /// Its root, if it is not entered with its mount namespace.
  sys::unique_fd root;
  cgroup::entrance entrance;
};

outcome look_up(const plan::exec_plan& plan, int target, outside& out) {
  const auto own_root = (plan.namespaces & CLONE_NEWNS) != 0;
  if (own_root && plan.process.seccomp.listener_path.empty())
    return {};
  TROUPE_TRY(const auto proc, sys::private_proc::open());
  TROUPE_TRY(const auto info, proc.read(std::to_string(::getpid()) + "/fdinfo/"
                                        + std::to_string(target)));
  constexpr std::string_view key = "Pid:\t";
  const auto found = info.find(key);
  out.init = found == std::string::npos
               ? 0
               : std::atoi(info.c_str() + found + key.size());
  if (out.init <= 0)
    return fail_os(ESRCH, "exec", "the container's init has ended");
  if (!own_root) {
    TROUPE_TRY(out.root, proc.root_of(out.init));
  }
  return {};
}

/// Without a mount namespace; -1: it has one.
outcome change_root(int root) {
  if (root >= 0 && (::fchdir(root) != 0 || ::chroot(".") != 0))
    return fail_os(errno, "chroot", "to the container's root");
  return {};
}

/// The directory of its cgroup as a mount of its own: `..` of the hierarchy's
/// would end at the host's root, and the session is born with it (clone3).
outcome cut_off(sys::unique_fd& directory) {
  if (!directory)
    return {};
  TROUPE_TRY(directory, sys::clone_tree(directory.get(), "", false));
  return {};
}

result<outside> prepare_host(const plan::exec_plan& plan, int target,
                             progress& at) {
  outside out;
  at = {plan::phase::prepare, 0};
  TROUPE_CHECK(look_up(plan, target, out));
  auto entrance = cgroup::open_entrance(plan.cgroup);
  if (!entrance)
    return fail_at(at, entrance.error());
  out.entrance = *std::move(entrance);
  if (may_be_traced(plan))
    TROUPE_CHECK(cut_off(out.entrance.v2_dir));
  // These the session inherits: nothing of the host's has to be kept open for
  // it until it has a number.
  TROUPE_CHECK(write_placement({}, plan.process.oom_score_adj, ::getpid(), at));
  TROUPE_CHECK(enter_resctrl(plan.intel_rdt, plan.id, ::getpid(), at));
  return out;
}

/// The launcher's part of entering the container: see entered_first.
outcome enter_first(const plan::exec_plan& plan, std::uint64_t first,
                    int target, outside& host, progress& at) {
  at = {plan::phase::join_namespace, 0};
  if (first != 0)
    TROUPE_CHECK(sys::enter_namespace(target, first, "of the container"));
  if (!may_be_traced(plan))
    return {};
  at = {plan::phase::pivot_root, 0};
  TROUPE_CHECK(change_root(host.root.get()));
  host.root.reset();
  return {};
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
  return change_root(session.root);
}

/// The cgroups, and, there, all of the CPUs that they have: the initial ones
/// were for the way (config.md, execCPUAffinity).
outcome enter_cgroups(const session_side& session, progress& at) {
  at = {plan::phase::cgroup_place, 0};
  if (const auto entered = cgroup::enter_v1(session.entrance); !entered)
    return fail_at(at, entered.error());
  const auto& wanted = session.plan.process.attributes;
  at = {plan::phase::cpu_affinity, 1};
  if (!wanted.initial_cpus.empty() && wanted.final_cpus.empty())
    return sys::reset_affinity();
  return {};
}

/// Everything before the start line.
result<prepared> prepare(const session_side& session, progress& at) {
  const auto& process = session.plan.process;
  prepared out;
  out.listener.reset(session.listener);
  TROUPE_CHECK(enter_cgroups(session, at));
  ::setsid(); // fails only for a group leader, which a fresh clone is not
  TROUPE_TRY(const auto placed, hear(session.line, word::mapped, at));
  out.process_state = process_state(session.plan, placed.pid, session.init);
  at = {plan::phase::label, 0};
  // Of the container's pid namespace. Before a user namespace's mounts are
  // entered: in there the container's own /proc may be covered, which forbids a
  // fresh one.
  std::optional<sys::private_proc> proc;
  if (wants_labels(process.attributes)) {
    TROUPE_TRY(proc, sys::private_proc::open());
  }
  TROUPE_TRY(out.labels, open_label_files(process.attributes, proc, at));
  TROUPE_CHECK(enter_container(session, at));
  at = {plan::phase::console, 0};
  TROUPE_TRY(const auto root, sys::open_file(AT_FDCWD, "/", O_PATH));
  TROUPE_TRY(out.terminal, open_console(process, session.with, root.get(), at));
  TROUPE_CHECK(make_ready(process, session.with, out, at));
  TROUPE_CHECK(
    send_report(session.with.report, make_report(report_kind::created, at)));
  ::close(session.with.report); // its EOF tells the end of the launcher
  TROUPE_CHECK(say(session.line, word::created, at));
  return out;
}

[[noreturn]] void run_session(const session_side& session) {
  progress at;
  const auto ready = prepare(session, at);
  if (!ready) {
    (void)send_report(session.line,
                      make_report(report_kind::failed, at, ready.error()));
    ::_exit(1);
  }
  ::close(session.line);
  const auto started = await_start(session.with.start);
  if (!started || !*started)
    ::_exit(0); // nobody is left who could start or reap this session
  const auto done = become_process(session.plan.process, session.with, *ready,
                                   at);
  (void)send_report(session.with.start,
                    make_report(report_kind::failed, at, done.error()));
  ::_exit(exit_code(at, done.error()));
}

outcome accompany(const lines& with, int line, const sys::cloned& session,
                  std::chrono::milliseconds patience, progress& at) {
  auto spawned = make_report(report_kind::spawned, at);
  spawned.pid = session.pid;
  TROUPE_CHECK(send_report(with.report, spawned, session.pidfd.get()));
  TROUPE_CHECK(say(line, word::mapped, at, session.pid));
  TROUPE_TRY([[maybe_unused]] const auto created,
             hear(line, word::created, at, patience));
  return {};
}

outcome check(const plan::exec_plan& plan, const lines& with, progress& at) {
  if (plan.version != plan::plan_version)
    return fail_os(EPROTO, "plan version", std::to_string(plan.version));
  TROUPE_CHECK(check_console(plan.process, with, at));
  at = {plan::phase::cpu_affinity, 0};
  if (!plan.process.attributes.initial_cpus.empty())
    return sys::set_affinity(plan.process.attributes.initial_cpus);
  return {};
}

outcome exec(const plan::exec_plan& plan, const lines& with, int target,
             std::chrono::milliseconds patience, progress& at,
             sys::unique_fd& made) {
  fault_point("launcher", "exec", "begun");
  TROUPE_CHECK(isolate({with.report, with.start, with.stdin_fd, with.stdout_fd,
                        with.stderr_fd, with.console, target},
                       with.preserve_fds));
  TROUPE_CHECK(check(plan, with, at));
  TROUPE_TRY(auto listener, connect_listener(plan.process.seccomp, at));
  TROUPE_TRY(auto host, prepare_host(plan, target, at));
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  fault_point("launcher", "exec", "clone");
  const auto first = entered_first(plan);
  TROUPE_CHECK(enter_first(plan, first, target, host, at));
  at = {plan::phase::clone, 0};
  TROUPE_TRY(auto session, sys::clone_process(sys::parentage::sibling, 0,
                                              host.entrance.v2_dir.get()));
  if (session.pid == 0) {
    line.first.reset();
    run_session({plan, with, line.second.get(), host.entrance, target,
                 host.init, host.root.get(), listener.release(), first});
  }
  line.second.reset();
  auto done = accompany(with, line.first.get(), session, patience, at);
  made = std::move(session.pidfd);
  return done;
}

} // namespace

int run_exec(const plan::exec_plan& plan, const lines& with, int target,
             std::chrono::milliseconds patience) {
  progress at;
  sys::unique_fd session;
  const auto done = exec(plan, with, target, patience, at, session);
  if (done)
    return 0;
  if (session)
    kill_and_wait(session.get());
  (void)send_report(with.report,
                    make_report(report_kind::failed, at, done.error()));
  return 1;
}

} // namespace troupe::launch
