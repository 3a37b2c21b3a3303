#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <vector>

/// PSI triggers of a container: config/oci/pressure_trigger.hpp.
namespace troupe::cgroup {

/// Those that the annotation asks for, as writes to `in`'s v2 directory. Pure.
[[nodiscard]] result<std::vector<plan::cgroup_write>>
plan_triggers(const oci::spec& spec, const plan::cgroup& in,
              const plan::host_facts& host);

/// A descriptor that has EPOLLPRI each time that the trigger fires, at most
/// once in its window, and EPOLLERR when the cgroup is gone.
[[nodiscard]] result<sys::unique_fd>
open_trigger(const plan::cgroup& in, const plan::cgroup_write& trigger);

} // namespace troupe::cgroup
