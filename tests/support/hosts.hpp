#pragma once

#include "runtime/plan/host_facts.hpp"

#include <sys/capability.h>

/// Hosts as tests imagine them.
namespace troupe::test {

/// The machine this project grew up on: v1 controllers beside an almost empty
/// v2 hierarchy, root without CAP_SYS_RESOURCE.
inline plan::host_facts hybrid_host() {
  plan::host_facts out;
  out.cgroups = plan::cgroup_mode::hybrid;
  for (const auto* each : {"cpu", "cpuacct", "cpuset", "memory", "devices",
                           "freezer", "blkio", "pids"})
    out.v1_mounts[each] = std::string{"/sys/fs/cgroup/"} + each;
  out.v2_mount = "/sys/fs/cgroup/unified";
  out.permitted_capabilities = ~(1ULL << CAP_SYS_RESOURCE);
  return out;
}

/// A host without any cgroup, with every capability.
inline plan::host_facts plain_host() {
  return {};
}

} // namespace troupe::test
