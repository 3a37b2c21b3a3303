#include "config/base/fault_point.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/scope_helper.hpp"
#include "runtime/launch/console.hpp"
#include "runtime/launch/handshake.hpp"
#include "runtime/launch/hooks.hpp"
#include "runtime/launch/host_trees.hpp"
#include "runtime/launch/init.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/launch/listener.hpp"
#include "runtime/launch/net_devices.hpp"
#include "runtime/launch/placement.hpp"
#include "runtime/launch/resctrl.hpp"
#include "runtime/launch/spare.hpp"
#include "runtime/launch/spawn.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <cerrno>

namespace troupe::launch {

namespace {

/// What there is to be undone if a later step fails.
struct undo {
  bool cgroup = false;
  bool mounts = false;  ///< The launcher has left the host's.
  bool resctrl = false; ///< Its class is new.
  moved_devices devices;
  sys::unique_fd init;
};

outcome check(const plan::launch_plan& plan, const lines& with, progress& at) {
  if (plan.version != plan::plan_version)
    return fail_os(EPROTO, "plan version", std::to_string(plan.version));
  TROUPE_CHECK(check_console(plan.process, with, at));
  at = {plan::phase::mount, 0};
  if (!has_own_mounts(plan) && !plan.rootfs.mounts.empty())
    return fail_os(EINVAL, "mount", "without a new mount namespace");
  return {};
}

/// The host's part of the steps between clone and the start line.
outcome accompany(const plan::launch_plan& plan, int line,
                  const sys::cloned& init, progress& at, undo& made) {
  TROUPE_CHECK(
    write_placement(plan.namespaces, plan.process.oom_score_adj, init.pid, at));
  TROUPE_CHECK(enter_resctrl(plan.intel_rdt, plan.id, init.pid, at));
  TROUPE_CHECK(say(line, word::mapped, at));
  TROUPE_TRY([[maybe_unused]] const auto ready, hear(line, word::ready, at));
  TROUPE_CHECK(made.devices.move_to(plan, init.pid, at));
  const auto state = state_document(plan, "creating", init.pid);
  TROUPE_CHECK(run_hooks(plan.hooks.prestart, plan::phase::hook_prestart, state,
                         plan.bundle, at));
  TROUPE_CHECK(run_hooks(plan.hooks.create_runtime,
                         plan::phase::hook_create_runtime, state, plan.bundle,
                         at));
  return say(line, word::go_on, at, init.pid);
}

/// From clone to the start line, as the launcher sees it.
outcome see_off(const plan::launch_plan& plan, const lines& with, int line,
                const sys::cloned& init, progress& at, undo& made) {
  auto spawned = make_report(report_kind::spawned, at);
  spawned.pid = init.pid;
  TROUPE_CHECK(send_report(with.report, spawned, init.pidfd.get()));
  TROUPE_CHECK(is_accompanied(plan) ? accompany(plan, line, init, at, made)
                                    : say(line, word::mapped, at));
  TROUPE_TRY([[maybe_unused]] const auto created,
             hear(line, word::created, at));
  return {};
}

/// Init's first mount namespace is a copy of the launcher's.
outcome leave_mounts(spare& own, undo& made) {
  const auto empty = std::move(own.empty_mounts);
  made.mounts = true;
  return sys::enter_namespace(empty.get(), CLONE_NEWNS, "that is empty");
}

outcome create(const plan::launch_plan& plan, const lines& with, spare& own,
               progress& at, undo& made) {
  fault_point("launcher", "create", "begun");
  TROUPE_CHECK(isolate({with.report, with.start, with.stdin_fd, with.stdout_fd,
                        with.stderr_fd, with.console, own.host_network.get(),
                        own.empty_mounts.get(), own.host_mounts.get(),
                        own.host_root.get()},
                       with.preserve_fds));
  TROUPE_TRY(const auto taken, take_spare(plan, own));
  TROUPE_CHECK(check(plan, with, at));
  TROUPE_TRY(auto listener, connect_listener(plan.process.seccomp, at));
  host_trees trees;
  if (!plan.namespaces.unprivileged_maps) {
    TROUPE_TRY(trees, open_host_trees(plan, at));
  }
  TROUPE_TRY(made.resctrl, prepare_resctrl(plan, at));
  at = {plan::phase::cgroup_scope, 0};
  TROUPE_TRY(auto holder, cgroup::start_scope(plan.cgroup));
  at = {plan::phase::cgroup_create, 0};
  if (const auto cgroup = cgroup::create(plan.cgroup); !cgroup)
    return fail_at(at, cgroup.error());
  made.cgroup = true;
  fault_point("launcher", "create", "cgroup");
  const auto entrance = cgroup::open_entrance(plan.cgroup);
  if (!entrance)
    return fail_at(at, entrance.error());
  if (taken.mounts)
    TROUPE_CHECK(open_cgroup_trees(plan, trees, at));
  at = {plan::phase::clone, 0};
  fault_point("launcher", "create", "clone");
  if (plan.namespaces.unprivileged_maps)
    TROUPE_CHECK(allow_own_maps());
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  if (taken.mounts)
    TROUPE_CHECK(leave_mounts(own, made));
  TROUPE_TRY(auto init,
             spawn(plan.namespaces, taken.network ? CLONE_NEWNET : 0U,
                   entrance->v2_dir.get(), at));
  if (init.pid == 0) {
    holder.leave();
    line.first.reset();
    own = {}; // the way back is not for the container
    run_init({plan, with, line.second.get(), *entrance, trees,
              listener.release(), taken.mounts});
  }
  line.second.reset();
  auto done = see_off(plan, with, line.first.get(), init, at, made);
  made.init = std::move(init.pidfd);
  return done;
}

bool is_hook(plan::phase x) {
  return x == plan::phase::hook_prestart
         || x == plan::phase::hook_create_runtime
         || x == plan::phase::hook_create_container;
}

/// Undoes what was done, so that the report of the failure finds nothing left.
void abandon(const plan::launch_plan& plan, const spare& own,
             const progress& at, int report_line, const undo& made) {
  if (made.mounts) // else no path of the host's leads anywhere
    (void)return_to_host(own);
  made.devices.move_back(plan);
  if (made.init)
    kill_and_wait(made.init.get());
  // As with cgroups.
  (void)remove_resctrl(plan, made.resctrl);
  if (made.cgroup)
    // What cannot be removed is the caller's to find: the failure that led here
    // is the one to report.
    (void)cgroup::remove(plan.cgroup, removal_patience);
  // runtime.md, "Lifecycle": after a failed hook the container is destroyed,
  // and its poststop hooks run.
  if (is_hook(at.phase))
    run_poststop(plan, report_line);
}

} // namespace

int run_create(const plan::launch_plan& plan, const lines& with) {
  spare none;
  return run_create(plan, with, none);
}

int run_create(const plan::launch_plan& plan, const lines& with, spare& own) {
  progress at;
  undo made;
  const auto created = create(plan, with, own, at, made);
  if (created)
    return 0;
  abandon(plan, own, at, with.report, made);
  (void)send_report(with.report,
                    make_report(report_kind::failed, at, created.error()));
  return 1;
}

} // namespace troupe::launch
