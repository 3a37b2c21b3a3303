#pragma once

#include "runtime/plan/host_facts.hpp"

#include <string>

namespace troupe::sys {

/// Looks at this host once: cgroup mounts from /proc/self/mountinfo and
/// /proc/cgroups, capabilities, LSMs, namespaces. Never fails: what cannot be
/// read counts as absent.
[[nodiscard]] plan::host_facts probe_host(const std::string& cgroup_parent);

} // namespace troupe::sys
