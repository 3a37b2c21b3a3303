#include "runtime/plan/launch_plan.hpp"

#include <array>

namespace troupe::plan {

namespace {

constexpr std::array<std::string_view, 44> phase_names{
  "prepare",
  "join_namespace",
  "clone",
  "id_map",
  "cgroup_create",
  "cgroup_write",
  "cgroup_place",
  "loopback",
  "rootfs",
  "mount",
  "device",
  "symlink",
  "hook_prestart",
  "hook_create_runtime",
  "hook_create_container",
  "pivot_root",
  "masked_path",
  "readonly_path",
  "readonly_root",
  "hostname",
  "sysctl",
  "console",
  "rlimit",
  "oom_score_adj",
  "hook_start_container",
  "user",
  "capabilities",
  "seccomp",
  "cwd",
  "exec",
  "hook_poststart",
  "hook_poststop",
  "cgroup_kill",
  "cgroup_remove",
  "net_device",
  "intel_rdt",
  "scheduler",
  "io_priority",
  "cpu_affinity",
  "personality",
  "memory_policy",
  "label",
  "keyring",
  "cgroup_scope",
};
static_assert(phase_names.size()
              == static_cast<std::size_t>(phase::cgroup_scope) + 1);

template <class T>
std::string_view origin_at(const std::vector<T>& steps,
                           std::uint32_t index) noexcept {
  return index < steps.size() ? std::string_view{steps[index].origin}
                              : std::string_view{};
}

} // namespace

std::string_view to_string(phase x) noexcept {
  const auto index = static_cast<std::size_t>(x);
  return index < phase_names.size() ? phase_names[index] : "unknown";
}

std::string_view origin_of(const launch_plan& plan, phase in,
                           std::uint32_t index) noexcept {
  switch (in) {
  case phase::join_namespace:
    return origin_at(plan.namespaces.joins, index);
  case phase::clone:
    return "/linux/namespaces";
  case phase::id_map:
    return index == 0 ? "/linux/uidMappings" : "/linux/gidMappings";
  case phase::cgroup_scope:
  case phase::cgroup_create:
  case phase::cgroup_place:
  case phase::cgroup_kill:
  case phase::cgroup_remove:
    return "/linux/cgroupsPath";
  case phase::cgroup_write:
    return origin_at(plan.cgroup.writes, index);
  case phase::rootfs:
  case phase::pivot_root:
    return "/root/path";
  case phase::mount:
    return origin_at(plan.rootfs.mounts, index);
  case phase::device:
    return origin_at(plan.rootfs.devices, index);
  case phase::hook_prestart:
    return origin_at(plan.hooks.prestart, index);
  case phase::hook_create_runtime:
    return origin_at(plan.hooks.create_runtime, index);
  case phase::hook_create_container:
    return origin_at(plan.hooks.create_container, index);
  case phase::hook_start_container:
    return origin_at(plan.hooks.start_container, index);
  case phase::hook_poststart:
    return origin_at(plan.hooks.poststart, index);
  case phase::hook_poststop:
    return origin_at(plan.hooks.poststop, index);
  case phase::masked_path:
    return origin_at(plan.rootfs.masked, index);
  case phase::readonly_path:
    return origin_at(plan.rootfs.readonly_paths, index);
  case phase::readonly_root:
    return "/root/readonly";
  case phase::hostname:
    return index == 0 ? "/hostname" : "/domainname";
  case phase::sysctl:
    return origin_at(plan.sysctls, index);
  case phase::console:
    return "/process/terminal";
  case phase::rlimit:
    return origin_at(plan.process.rlimits, index);
  case phase::oom_score_adj:
    return "/process/oomScoreAdj";
  case phase::user:
    return "/process/user";
  case phase::capabilities:
    return "/process/capabilities";
  case phase::seccomp:
    return index == 0 ? "/linux/seccomp" : "/linux/seccomp/listenerPath";
  case phase::cwd:
    return "/process/cwd";
  case phase::exec:
    return "/process/args";
  case phase::net_device:
    return origin_at(plan.net_devices, index);
  case phase::intel_rdt:
    return "/linux/intelRdt";
  case phase::scheduler:
    return "/process/scheduler";
  case phase::io_priority:
    return "/process/ioPriority";
  case phase::cpu_affinity:
    return index == 0 ? "/process/execCPUAffinity/initial"
                      : "/process/execCPUAffinity/final";
  case phase::personality:
    return "/linux/personality";
  case phase::memory_policy:
    return "/linux/memoryPolicy";
  case phase::label:
    return index == 0 ? "/process/apparmorProfile" : "/process/selinuxLabel";
  case phase::keyring:
  case phase::prepare:
  case phase::loopback:
  case phase::symlink:
    return {};
  }
  return {};
}

} // namespace troupe::plan
