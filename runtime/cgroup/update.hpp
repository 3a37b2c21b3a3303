#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

/// New limits for a container that lives.
namespace troupe::cgroup {

/// What `wanted` means for the cgroup `now`: its directories, and behind them
/// those that it has not needed before (v1 hugetlb), with the controllers of v2
/// (cpuset); the writes are those of `wanted` alone. Pure.
[[nodiscard]] result<plan::cgroup> plan_update(const plan::cgroup& now,
                                               const oci::resources& wanted,
                                               const plan::host_facts& host);

/// Enters what `to` has beyond `now` and writes the limits of `to`: all or
/// none. When the kernel refuses one, those before it get the values back that
/// they had; a value that cannot be put back is named in the failure. A
/// directory that was entered stays so. BLOCKS while the kernel reclaims memory
/// for a lower limit.
[[nodiscard]] outcome update(const plan::cgroup& now, const plan::cgroup& to);

} // namespace troupe::cgroup
