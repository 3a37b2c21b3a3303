#pragma once

#include "runtime/plan/host_facts.hpp"

#include <string_view>

namespace troupe::sys {

/// Fills in the cgroup mode and mounts of `facts` from the text of
/// /proc/self/mountinfo and /proc/cgroups, proc(5), and where resctrl is
/// mounted. Pure. "name=systemd", a v1 hierarchy without a controller, is
/// listed, and does not make the mode v1.
void add_cgroup_mounts(plan::host_facts& facts, std::string_view mountinfo,
                       std::string_view cgroups);

} // namespace troupe::sys
