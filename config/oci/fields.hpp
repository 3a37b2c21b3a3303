#pragma once

#include "config/json/fields.hpp"
#include "config/oci/spec.hpp"

/// The members of config.json by name and necessity, once for parse and
/// to_json. Source: runtime-spec v1.3.0, config.md and config-linux.md.
namespace troupe::oci {

[[nodiscard]] outcome read(const json::cursor& at, namespace_kind& out);
[[nodiscard]] nlohmann::json to_value(namespace_kind& value);

template <class Io>
void fields(Io& io, root& x) {
  io.required("path", x.path);
  io.optional("readonly", x.readonly);
}

template <class Io>
void fields(Io& io, id_mapping& x) {
  io.required("containerID", x.container_id);
  io.required("hostID", x.host_id);
  io.required("size", x.size);
}

template <class Io>
void fields(Io& io, mount& x) {
  io.required("destination", x.destination);
  io.optional("type", x.type);
  io.optional("source", x.source);
  io.optional("options", x.options);
  io.optional("uidMappings", x.uid_mappings);
  io.optional("gidMappings", x.gid_mappings);
}

// -- process ------------------------------------------------------------------

template <class Io>
void fields(Io& io, console_size& x) {
  io.required("height", x.height);
  io.required("width", x.width);
}

template <class Io>
void fields(Io& io, user& x) {
  io.required("uid", x.uid);
  io.required("gid", x.gid);
  io.optional("umask", x.umask);
  io.optional("additionalGids", x.additional_gids);
}

template <class Io>
void fields(Io& io, capabilities& x) {
  io.optional("effective", x.effective);
  io.optional("bounding", x.bounding);
  io.optional("inheritable", x.inheritable);
  io.optional("permitted", x.permitted);
  io.optional("ambient", x.ambient);
}

template <class Io>
void fields(Io& io, rlimit& x) {
  io.required("type", x.type);
  io.required("soft", x.soft);
  io.required("hard", x.hard);
}

template <class Io>
void fields(Io& io, scheduler& x) {
  io.required("policy", x.policy);
  io.optional("nice", x.nice);
  io.optional("priority", x.priority);
  io.optional("flags", x.flags);
  io.optional("runtime", x.runtime);
  io.optional("deadline", x.deadline);
  io.optional("period", x.period);
}

template <class Io>
void fields(Io& io, io_priority& x) {
  io.required("class", x.io_class);
  io.required("priority", x.priority);
}

template <class Io>
void fields(Io& io, exec_cpu_affinity& x) {
  io.optional("initial", x.initial);
  io.optional("final", x.final);
}

template <class Io>
void fields(Io& io, process& x) {
  io.optional("terminal", x.terminal);
  io.optional("consoleSize", x.console_size);
  io.required("cwd", x.cwd);
  io.optional("env", x.env);
  io.optional("args", x.args);
  io.optional("rlimits", x.rlimits);
  io.optional("apparmorProfile", x.apparmor_profile);
  io.optional("capabilities", x.capabilities);
  io.optional("noNewPrivileges", x.no_new_privileges);
  io.optional("oomScoreAdj", x.oom_score_adj);
  io.optional("scheduler", x.scheduler);
  io.optional("selinuxLabel", x.selinux_label);
  io.optional("ioPriority", x.io_priority);
  io.optional("execCPUAffinity", x.exec_cpu_affinity);
  io.optional("user", x.user);
}

// -- hooks --------------------------------------------------------------------

template <class Io>
void fields(Io& io, hook& x) {
  io.required("path", x.path);
  io.optional("args", x.args);
  io.optional("env", x.env);
  io.optional("timeout", x.timeout);
}

template <class Io>
void fields(Io& io, hooks& x) {
  io.optional("prestart", x.prestart);
  io.optional("createRuntime", x.create_runtime);
  io.optional("createContainer", x.create_container);
  io.optional("startContainer", x.start_container);
  io.optional("poststart", x.poststart);
  io.optional("poststop", x.poststop);
}

// -- resources ----------------------------------------------------------------

template <class Io>
void fields(Io& io, device_rule& x) {
  io.required("allow", x.allow);
  io.optional("type", x.type);
  io.optional("major", x.major);
  io.optional("minor", x.minor);
  io.optional("access", x.access);
}

template <class Io>
void fields(Io& io, memory_resources& x) {
  io.optional("limit", x.limit);
  io.optional("reservation", x.reservation);
  io.optional("swap", x.swap);
  io.optional("kernel", x.kernel);
  io.optional("kernelTCP", x.kernel_tcp);
  io.optional("swappiness", x.swappiness);
  io.optional("disableOOMKiller", x.disable_oom_killer);
  io.optional("useHierarchy", x.use_hierarchy);
  io.optional("checkBeforeUpdate", x.check_before_update);
}

template <class Io>
void fields(Io& io, cpu_resources& x) {
  io.optional("shares", x.shares);
  io.optional("quota", x.quota);
  io.optional("burst", x.burst);
  io.optional("period", x.period);
  io.optional("realtimeRuntime", x.realtime_runtime);
  io.optional("realtimePeriod", x.realtime_period);
  io.optional("cpus", x.cpus);
  io.optional("mems", x.mems);
  io.optional("idle", x.idle);
}

template <class Io>
void fields(Io& io, weight_device& x) {
  io.required("major", x.major);
  io.required("minor", x.minor);
  io.optional("weight", x.weight);
  io.optional("leafWeight", x.leaf_weight);
}

template <class Io>
void fields(Io& io, throttle_device& x) {
  io.required("major", x.major);
  io.required("minor", x.minor);
  io.required("rate", x.rate);
}

template <class Io>
void fields(Io& io, block_io_resources& x) {
  io.optional("weight", x.weight);
  io.optional("leafWeight", x.leaf_weight);
  io.optional("weightDevice", x.weight_device);
  io.optional("throttleReadBpsDevice", x.throttle_read_bps);
  io.optional("throttleWriteBpsDevice", x.throttle_write_bps);
  io.optional("throttleReadIOPSDevice", x.throttle_read_iops);
  io.optional("throttleWriteIOPSDevice", x.throttle_write_iops);
}

template <class Io>
void fields(Io& io, hugepage_limit& x) {
  io.required("pageSize", x.page_size);
  io.required("limit", x.limit);
}

template <class Io>
void fields(Io& io, interface_priority& x) {
  io.required("name", x.name);
  io.required("priority", x.priority);
}

template <class Io>
void fields(Io& io, network_resources& x) {
  io.optional("classID", x.class_id);
  io.optional("priorities", x.priorities);
}

template <class Io>
void fields(Io& io, rdma_limit& x) {
  io.optional("hcaHandles", x.hca_handles);
  io.optional("hcaObjects", x.hca_objects);
}

template <class Io>
void fields(Io& io, resources& x) {
  io.optional("devices", x.devices);
  io.optional("memory", x.memory);
  io.optional("cpu", x.cpu);
  io.nested("pids", "limit", x.pids_limit);
  io.optional("blockIO", x.block_io);
  io.optional("hugepageLimits", x.hugepage_limits);
  io.optional("network", x.network);
  io.optional("rdma", x.rdma);
  io.optional("unified", x.unified);
}

// -- linux --------------------------------------------------------------------

template <class Io>
void fields(Io& io, namespace_entry& x) {
  io.required("type", x.kind);
  io.optional("path", x.path);
}

template <class Io>
void fields(Io& io, time_offset& x) {
  io.optional("secs", x.secs);
  io.optional("nanosecs", x.nanosecs);
}

template <class Io>
void fields(Io& io, device& x) {
  io.required("type", x.type);
  io.required("path", x.path);
  io.optional("major", x.major);
  io.optional("minor", x.minor);
  io.optional("fileMode", x.file_mode);
  io.optional("uid", x.uid);
  io.optional("gid", x.gid);
}

template <class Io>
void fields(Io& io, net_device& x) {
  io.optional("name", x.name);
}

template <class Io>
void fields(Io& io, seccomp_arg& x) {
  io.required("index", x.index);
  io.required("value", x.value);
  io.optional("valueTwo", x.value_two);
  io.required("op", x.op);
}

template <class Io>
void fields(Io& io, seccomp_rule& x) {
  io.required("names", x.names);
  io.required("action", x.action);
  io.optional("errnoRet", x.errno_ret);
  io.optional("args", x.args);
}

template <class Io>
void fields(Io& io, seccomp& x) {
  io.required("defaultAction", x.default_action);
  io.optional("defaultErrnoRet", x.default_errno_ret);
  io.optional("architectures", x.architectures);
  io.optional("flags", x.flags);
  io.optional("listenerPath", x.listener_path);
  io.optional("listenerMetadata", x.listener_metadata);
  io.optional("syscalls", x.syscalls);
}

template <class Io>
void fields(Io& io, personality& x) {
  io.required("domain", x.domain);
  io.optional("flags", x.flags);
}

template <class Io>
void fields(Io& io, intel_rdt& x) {
  io.optional("closID", x.clos_id);
  io.optional("schemata", x.schemata);
  io.optional("l3CacheSchema", x.l3_cache_schema);
  io.optional("memBwSchema", x.mem_bw_schema);
  io.optional("enableMonitoring", x.enable_monitoring);
}

template <class Io>
void fields(Io& io, memory_policy& x) {
  io.required("mode", x.mode);
  io.optional("nodes", x.nodes);
  io.optional("flags", x.flags);
}

template <class Io>
void fields(Io& io, linux_config& x) {
  io.optional("namespaces", x.namespaces);
  io.optional("uidMappings", x.uid_mappings);
  io.optional("gidMappings", x.gid_mappings);
  io.keyed("timeOffsets", x.time_offsets, &time_offset::clock);
  io.optional("devices", x.devices);
  io.keyed("netDevices", x.net_devices, &net_device::host_name);
  io.optional("cgroupsPath", x.cgroups_path);
  io.optional("resources", x.resources);
  io.optional("rootfsPropagation", x.rootfs_propagation);
  io.optional("seccomp", x.seccomp);
  io.optional("sysctl", x.sysctl);
  io.optional("maskedPaths", x.masked_paths);
  io.optional("readonlyPaths", x.readonly_paths);
  io.optional("mountLabel", x.mount_label);
  io.optional("personality", x.personality);
  io.optional("intelRdt", x.intel_rdt);
  io.optional("memoryPolicy", x.memory_policy);
}

// -- the whole ----------------------------------------------------------------

template <class Io>
void fields(Io& io, spec& x) {
  io.required("ociVersion", x.oci_version);
  io.optional("process", x.process);
  io.optional("root", x.root);
  io.optional("hostname", x.hostname);
  io.optional("domainname", x.domainname);
  io.optional("mounts", x.mounts);
  io.optional("hooks", x.hooks);
  io.optional("annotations", x.annotations);
  io.optional("linux", x.linux_);
}

} // namespace troupe::oci
