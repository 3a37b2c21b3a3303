#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe::plan {

/// What `compile` needs to know of this host: probed once at start (by
/// runtime/linux/probe.hpp), made up freely in tests.
struct host_facts {
  cgroup_mode cgroups = cgroup_mode::none;
  /// v1 and hybrid: controller -> where its hierarchy is mounted.
  std::map<std::string, std::string> v1_mounts;
  std::string v2_mount; ///< "" where there is none.
  /// Controllers in the v2 root's cgroup.controllers.
  std::vector<std::string> v2_controllers;
  std::string cgroup_parent = "/troupe"; ///< For specs without cgroupsPath.
  /// The troupe-scope program: containers get scopes of systemd. "": they do
  /// not.
  std::string scope_helper;
  bool pressure = false;              ///< /proc/pressure is there.
  std::uint64_t last_capability = 40; ///< /proc/sys/kernel/cap_last_cap
  std::uint64_t permitted_capabilities = ~0ULL; ///< Our own permitted set.
  bool apparmor = false;
  bool selinux = false;
  bool time_namespaces = true;
  bool kernel_core = true;   ///< /proc/kcore is there.
  bool memory_policy = true; ///< CONFIG_NUMA: set_mempolicy(2) is there.
  std::string resctrl_mount; ///< "": no Intel RDT, no AMD QoS, or unmounted.
  std::uint32_t uid = 0;     ///< Our own effective ids: 0 is privileged.
  std::uint32_t gid = 0;
  friend bool operator==(const host_facts&, const host_facts&) = default;
};

} // namespace troupe::plan
