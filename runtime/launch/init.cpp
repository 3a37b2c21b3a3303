#include "runtime/launch/init.hpp"

#include "runtime/launch/console.hpp"
#include "runtime/launch/handshake.hpp"
#include "runtime/launch/hooks.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/listener.hpp"
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
  if (is_accompanied(plan)) {
    at = {plan::phase::id_map, 0};
    TROUPE_TRY([[maybe_unused]] const auto mapped,
               hear(init.line, word::mapped, at));
  }
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

/// What init has when it waits for its start.
struct created {
  pid_t pid = 0; ///< On the host.
  prepared ready;
};

/// Opened before the old root goes: in a user namespace procfs may be mounted
/// only where another one is fully visible (user_namespaces(7)).
result<std::optional<sys::private_proc>>
open_proc(const plan::launch_plan& plan) {
  std::optional<sys::private_proc> proc;
  if (plan.sysctls.empty() && !wants_labels(plan.process.attributes))
    return proc;
  TROUPE_TRY(proc, sys::private_proc::open());
  return proc;
}

/// The terminal of the new root; on its /dev/console too, if it may mount.
result<sys::unique_fd> make_console(const init_side& init, int root,
                                    progress& at) {
  const auto& plan = init.plan;
  TROUPE_TRY(auto slave, open_console(plan.process, init.with, root, at));
  if (slave && has_own_mounts(plan))
    TROUPE_CHECK(place_console(slave.get(), root, at));
  return slave;
}

/// While the host's hooks run; then the container's own. Our pid on the host.
result<pid_t> wait_for_host(const init_side& init, progress& at) {
  const auto& plan = init.plan;
  TROUPE_CHECK(say(init.line, word::ready, at));
  TROUPE_TRY(const auto go, hear(init.line, word::go_on, at));
  TROUPE_CHECK(run_hooks(plan.hooks.create_container,
                         plan::phase::hook_create_container,
                         state_document(plan, "creating", go.pid), "/", at));
  return go.pid;
}

/// To the caller first: it waits, while the launcher only ends.
outcome tell_created(const init_side& init, progress& at) {
  if (!is_accompanied(init.plan)) {
    TROUPE_TRY([[maybe_unused]] const auto told,
               hear(init.line, word::mapped, at));
  }
  TROUPE_CHECK(
    send_report(init.with.report, make_report(report_kind::created, at)));
  ::close(init.with.report); // its EOF tells the end of the launcher
  return say(init.line, word::created, at);
}

/// Everything before the start line.
result<created> prepare(const init_side& init, progress& at) {
  const auto& plan = init.plan;
  created out;
  out.ready.listener.reset(init.listener);
  TROUPE_CHECK(settle(init, at));
  at = {plan::phase::sysctl, 0};
  TROUPE_TRY(const auto proc, open_proc(plan));
  TROUPE_TRY(out.ready.labels,
             open_label_files(plan.process.attributes, proc, at));
  host_trees own; // an ordinary user's
  if (plan.namespaces.unprivileged_maps) {
    TROUPE_TRY(own, open_host_trees(plan, at));
  }
  TROUPE_TRY(
    const auto root,
    build_root(plan, plan.namespaces.unprivileged_maps ? own : init.trees, at));
  TROUPE_TRY(out.ready.terminal, make_console(init, root.get(), at));
  if (is_accompanied(plan)) {
    TROUPE_TRY(out.pid, wait_for_host(init, at));
  }
  TROUPE_CHECK(enter_root(plan, root.get(), init.over_empty_root, at));
  TROUPE_CHECK(write_sysctls(plan, proc, at));
  TROUPE_CHECK(guard_root(plan, root.get(), at));
  TROUPE_CHECK(make_ready(plan.process, init.with, out.ready, at));
  TROUPE_CHECK(tell_created(init, at));
  return out;
}

outcome start(const init_side& init, created& container, progress& at) {
  const auto& plan = init.plan;
  TROUPE_CHECK(
    run_hooks(plan.hooks.start_container, plan::phase::hook_start_container,
              state_document(plan, "created", container.pid), "/", at));
  container.ready.process_state = process_state(plan, container.pid);
  return become_process(plan.process, init.with, container.ready, at);
}

} // namespace

void run_init(const init_side& init) {
  progress at;
  const auto umask = ::umask(0); // modes are exact until the program's own
  auto container = prepare(init, at);
  if (!container) {
    (void)send_report(init.line,
                      make_report(report_kind::failed, at, container.error()));
    ::_exit(1);
  }
  ::umask(umask);
  ::close(init.line);
  const auto started = await_start(init.with.start);
  if (!started || !*started)
    ::_exit(0); // nobody is left who could start or reap this container
  const auto done = start(init, *container, at);
  (void)send_report(init.with.start,
                    make_report(report_kind::failed, at, done.error()));
  ::_exit(exit_code(at, done.error()));
}

} // namespace troupe::launch
