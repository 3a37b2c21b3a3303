#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>
#include <vector>

/// Cgroups by way of systemd, as runc's `--systemd-cgroup`: systemd makes a
/// transient scope, and we work in the cgroup of it. The pure half.
namespace troupe::cgroup {

/// The scope that cgroupsPath "SLICE:PREFIX:NAME" means (absent:
/// "system.slice:troupe:ID"), without its limits. Annotations
/// org.systemd.property.NAME are properties of it.
[[nodiscard]] result<plan::systemd_scope>
plan_scope(const oci::spec& spec, const plan::host_facts& host,
           const std::string& id);

/// "/system.slice/troupe-web.scope": systemd.slice(5), in the v2 hierarchy.
[[nodiscard]] std::string path_of(const plan::systemd_scope& x);

/// The limits that systemd has to know, so that it does not undo them when it
/// writes its own again: systemd.resource-control(5). What it has no property
/// for (devices, io, hugetlb, rdma) it does not touch.
[[nodiscard]] std::vector<plan::unit_property>
properties_of(const std::vector<plan::cgroup_write>& v2_writes);

} // namespace troupe::cgroup
