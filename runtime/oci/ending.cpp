#include "runtime/oci/ending.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/readable.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/launcher.hpp"
#include "runtime/oci/lock.hpp"

#include <cerrno>
#include <csignal>

namespace troupe::oci_runtime {

namespace {

/// A v1 task dies only once it is thawed.
void thaw(const plan::cgroup& in) {
  if (in.mode != plan::cgroup_mode::none)
    (void)cgroup::open_control(in)->thaw(); // what cannot be frozen is not
}

/// Our own parent of cgroups goes with the last container in it.
void remove_default_parent(const plan::cgroup& in) {
  for (const auto& dir : in.dirs)
    if (!dir.path.starts_with(std::string{default_cgroup_parent} + "/"))
      return;
  cgroup::remove_parent(in, default_cgroup_parent);
}

} // namespace

outcome wait_until_dead(const container& x,
                        std::chrono::milliseconds patience) {
  if (!x.init)
    return {};
  const auto ended = sys::wait_readable(x.init.get(), patience);
  if (ended && *ended)
    return {};
  return fail(fault::timed_out, "container init still running");
}

outcome kill_init(const container& x) {
  if (!x.init)
    return {};
  if (const auto sent = sys::send_signal(x.init.get(), SIGKILL);
      !sent && sent.error().os_errno != ESRCH)
    return sent;
  if (x.status == status::paused)
    thaw(x.plan.cgroup);
  return wait_until_dead(x, kill_patience);
}

outcome destroy(const runtime& in, const plan::launch_plan& plan) {
  const auto done = run_launcher(
    [&](int line) { return launch::run_teardown(plan, line); },
    {.warned = [&](const launch::report& why) {
      in.warn(launch::to_failure(why, &plan).what);
    }});
  if (done.failed)
    return fail(launch::to_failure(*done.failed, &plan)
                  .during("unable to remove container"));
  remove_default_parent(plan.cgroup);
  return remove_locked(in.store, plan.id);
}

} // namespace troupe::oci_runtime
