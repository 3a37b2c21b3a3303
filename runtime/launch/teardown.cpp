#include "config/base/fault_point.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/hooks.hpp"
#include "runtime/launch/isolate.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"
#include "runtime/launch/resctrl.hpp"

#include <chrono>

namespace troupe::launch {

namespace {

int finish(int report_line, const progress& at, const outcome& how) {
  const auto said = send_report(
    report_line, how ? make_report(report_kind::done, at)
                     : make_report(report_kind::failed, at, how.error()));
  return how && said ? 0 : 1;
}

outcome tear_down(const plan::launch_plan& plan, int report_line,
                  progress& at) {
  fault_point("launcher", "teardown", "begun");
  TROUPE_CHECK(isolate({report_line}));
  const auto removed = cgroup::remove(plan.cgroup, removal_patience);
  fault_point("launcher", "teardown", "removed");
  at = {plan::phase::intel_rdt, 0};
  auto left = remove_resctrl(plan, false);
  // The spec's last step; run whether or not something was left behind.
  run_poststop(plan, report_line);
  if (!removed)
    return fail_at(at, removed.error());
  return left;
}

outcome poststart(const plan::launch_plan& plan, int report_line, pid_t pid,
                  progress& at) {
  TROUPE_CHECK(isolate({report_line}));
  return run_hooks(plan.hooks.poststart, plan::phase::hook_poststart,
                   state_document(plan, "running", pid), plan.bundle, at);
}

} // namespace

int run_teardown(const plan::launch_plan& plan, int report_line) {
  progress at;
  const auto how = tear_down(plan, report_line, at);
  return finish(report_line, at, how);
}

int run_poststart(const plan::launch_plan& plan, int report_line, pid_t pid) {
  progress at;
  const auto how = poststart(plan, report_line, pid, at);
  return finish(report_line, at, how);
}

} // namespace troupe::launch
