#pragma once

#include "runtime/plan/host_facts.hpp"

#include <string_view>

namespace troupe::sys {

/// Fills in the cgroup mode and mounts of `facts` from the text of
/// /proc/self/mountinfo and /proc/cgroups, proc(5). Pure. A v1 hierarchy
/// without an enabled controller ("name=systemd") doesn't count. Fills in where
/// resctrl is mounted, too.
void add_cgroup_mounts(plan::host_facts& facts, std::string_view mountinfo,
                       std::string_view cgroups);

} // namespace troupe::sys
