#include "runtime/launch/init.hpp"

#include "runtime/launch/handshake.hpp"
#include "runtime/launch/hooks.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/process.hpp"
#include "runtime/launch/root.hpp"
#include "runtime/linux/loopback.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/proc.hpp"

#include <cerrno>
#include <optional>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// Cgroups, ids, and the namespaces' own properties.
outcome settle(const init_side& init, progress& at) {
  const auto& plan = init.plan;
  at = {plan::phase::cgroup_place, 0};
  if (const auto entered = cgroup::enter_v1(init.entrance); !entered)
    return fail_at(at, entered.error());
  ::setsid(); // fails only for a group leader, which a fresh clone is not
  at = {plan::phase::id_map, 0};
  TROUPE_TRY([[maybe_unused]] const auto mapped,
             hear(init.line, word::mapped, at));
  if (plan.namespaces.unprivileged_maps)
    TROUPE_CHECK(end_own_maps());
  if (in_user_namespace(plan))
    TROUPE_CHECK(sys::become_root());
  at = {plan::phase::clone, 0};
  if ((plan.namespaces.clone_flags & CLONE_NEWCGROUP) != 0)
    TROUPE_CHECK(sys::unshare_namespaces(CLONE_NEWCGROUP, "cgroup"));
  at = {plan::phase::loopback, 0};
  if (plan.loopback_up)
    TROUPE_CHECK(sys::bring_loopback_up());
  at = {plan::phase::hostname, 0};
  if (!plan.hostname.empty()
      && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0)
    return fail_os(errno, "sethostname", plan.hostname);
  at.index = 1;
  if (!plan.domainname.empty()
      && ::setdomainname(plan.domainname.data(), plan.domainname.size()) != 0)
    return fail_os(errno, "setdomainname", plan.domainname);
  return {};
}

outcome write_sysctls(const plan::launch_plan& plan,
                      const std::optional<sys::private_proc>& proc,
                      progress& at) {
  at = {plan::phase::sysctl, 0};
  for (const auto& x : plan.sysctls) {
    TROUPE_CHECK(proc->write(sys::sysctl_path(x.key), x.value));
    ++at.index;
  }
  return {};
}

/// Everything before the start line. Returns init's pid on the host.
result<pid_t> prepare(const init_side& init, progress& at) {
  const auto& plan = init.plan;
  TROUPE_CHECK(settle(init, at));
  // Opened before the old root goes: in a user namespace procfs may be mounted
  // only where another one is fully visible (user_namespaces(7)).
  std::optional<sys::private_proc> proc;
  at = {plan::phase::sysctl, 0};
  if (!plan.sysctls.empty()) {
    TROUPE_TRY(proc, sys::private_proc::open());
  }
  host_trees own; // an ordinary user's
  if (plan.namespaces.unprivileged_maps) {
    TROUPE_TRY(own, open_host_trees(plan, at));
  }
  TROUPE_TRY(
    const auto root,
    build_root(plan, plan.namespaces.unprivileged_maps ? own : init.trees, at));
  TROUPE_CHECK(say(init.line, word::ready));
  TROUPE_TRY(const auto go, hear(init.line, word::go_on, at));
  TROUPE_CHECK(run_hooks(plan.hooks.create_container,
                         plan::phase::hook_create_container,
                         state_document(plan, "creating", go.pid), "/", at));
  TROUPE_CHECK(enter_root(plan, root.get(), at));
  TROUPE_CHECK(write_sysctls(plan, proc, at));
  TROUPE_CHECK(guard_root(plan, root.get(), at));
  TROUPE_CHECK(check_executable(plan.process, at));
  TROUPE_CHECK(say(init.line, word::created));
  return go.pid;
}

outcome start(const init_side& init, pid_t pid, progress& at) {
  const auto& plan = init.plan;
  TROUPE_CHECK(run_hooks(plan.hooks.start_container,
                         plan::phase::hook_start_container,
                         state_document(plan, "created", pid), "/", at));
  return become_process(plan.process, init.with, at);
}

} // namespace

void run_init(const init_side& init) {
  progress at;
  ::close(init.with.report);     // its EOF tells the end of the launcher
  const auto umask = ::umask(0); // modes are exact until the program's own
  const auto pid = prepare(init, at);
  if (!pid) {
    (void)send_report(init.line,
                      make_report(report_kind::failed, at, pid.error()));
    ::_exit(1);
  }
  ::umask(umask);
  ::close(init.line);
  const auto started = await_start(init.with.start);
  if (!started || !*started)
    ::_exit(0); // nobody is left who could start or reap this container
  const auto done = start(init, *pid, at);
  (void)send_report(init.with.start,
                    make_report(report_kind::failed, at, done.error()));
  ::_exit(exit_code(at, done.error()));
}

} // namespace troupe::launch
