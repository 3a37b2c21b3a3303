#pragma once

#include "config/base/fault_point.hpp"
#include "config/base/result.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/launch/report.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>

namespace troupe::launch {

/// Where in the plan a process of a launch is: set before each step, so that
/// whatever fails next is reported with its place. A step is a fault point,
/// too.
struct progress {
  progress() = default;
  progress(plan::phase phase, std::uint32_t index)
    : phase(phase), index(index) {
    fault_point("launcher", plan::to_string(phase), "begun");
  }

  plan::phase phase = plan::phase::prepare;
  std::uint32_t index = 0;
};

/// The failure of a cgroup step, and its place.
[[nodiscard]] inline tl::unexpected<failure>
fail_at(progress& at, const cgroup::step_failure& why) {
  at = {why.phase, why.index};
  return fail_os(why.os_errno, plan::to_string(why.phase), why.path);
}

/// A packet for the report or start line; `subject` is cut to fit.
[[nodiscard]] report make_report(report_kind kind, const progress& at,
                                 const failure& why = {fault::none, 0, {}});

/// Sends `what` over `line`, with `fd` unless it is negative.
[[nodiscard]] outcome send_report(int line, const report& what, int fd = -1);

} // namespace troupe::launch
