#pragma once

#include "runtime/cgroup/writes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

/// Made-up hosts and short forms for tests of cgroup plans.
namespace troupe::cgroup_test {

using plan::cgroup_mode;

/// Separate hierarchies, as here, with a v2 one beside them.
inline plan::host_facts hybrid_host() {
  auto out = plan::host_facts{};
  out.cgroups = cgroup_mode::hybrid;
  for (const auto* name : {"cpu", "cpuacct", "cpuset", "memory", "devices",
                           "freezer", "blkio", "pids"})
    out.v1_mounts[name] = std::string{"/sys/fs/cgroup/"} + name;
  out.v2_mount = "/sys/fs/cgroup/unified";
  out.v2_controllers = {"hugetlb"};
  return out;
}

inline plan::host_facts v1_host() {
  auto out = hybrid_host();
  out.cgroups = cgroup_mode::v1;
  out.v2_mount.clear();
  out.v2_controllers.clear();
  return out;
}

inline plan::host_facts v2_host() {
  auto out = plan::host_facts{};
  out.cgroups = cgroup_mode::v2;
  out.v2_mount = "/sys/fs/cgroup";
  out.v2_controllers = {"cpuset",  "cpu",  "io",  "memory",
                        "hugetlb", "pids", "rdma"};
  return out;
}

inline oci::spec with(oci::resources resources) {
  auto out = oci::spec{};
  out.linux_.resources = std::move(resources);
  return out;
}

inline oci::spec at(std::string path) {
  auto out = oci::spec{};
  out.linux_.cgroups_path = std::move(path);
  return out;
}

inline plan::cgroup planned(const oci::spec& spec,
                            const plan::host_facts& host) {
  auto out = cgroup::plan_cgroup(spec, host, "web");
  if (!out)
    FAIL(out.error().what);
  return *out;
}

inline failure refusal(const oci::spec& spec, const plan::host_facts& host) {
  auto out = cgroup::plan_cgroup(spec, host, "web");
  REQUIRE_FALSE(out);
  return out.error();
}

using lines = std::vector<std::string>;

/// "CONTROLLER FILE=VALUE", "v2" for the unified hierarchy.
inline lines written(const plan::cgroup& in) {
  auto out = lines{};
  for (const auto& each : in.writes) {
    const auto& controller = in.dirs.at(each.dir).controller;
    out.push_back((controller.empty() ? "v2" : controller) + " " + each.file
                  + "=" + each.value);
  }
  return out;
}

inline lines written(oci::resources resources, const plan::host_facts& host) {
  return written(planned(with(std::move(resources)), host));
}

inline oci::resources memory(oci::memory_resources x) {
  auto out = oci::resources{};
  out.memory = x;
  return out;
}

inline oci::resources cpu(oci::cpu_resources x) {
  auto out = oci::resources{};
  out.cpu = std::move(x);
  return out;
}

inline oci::device_rule rule(bool allow, std::string type,
                             std::optional<std::int64_t> major,
                             std::optional<std::int64_t> minor,
                             std::string access) {
  return {allow, std::move(type), major, minor, std::move(access)};
}

} // namespace troupe::cgroup_test
