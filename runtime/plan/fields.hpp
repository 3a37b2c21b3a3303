#pragma once

#include "runtime/plan/kept_filter.hpp"
#include "runtime/plan/kept_limits.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <concepts>
#include <tuple>
#include <type_traits>

/// The members of every plan struct, in the order of their declaration: the
/// table that the codec works from. codec.cpp proves that none is missing.
namespace troupe::plan {

/// `T` is `X` or `const X`.
template <class T, class X>
concept maybe_const = std::same_as<std::remove_const_t<T>, X>;

template <maybe_const<namespace_join> T>
auto fields(T& x) {
  return std::tie(x.flag, x.path, x.origin);
}

template <maybe_const<id_map> T>
auto fields(T& x) {
  return std::tie(x.container_id, x.host_id, x.size);
}

template <maybe_const<time_offset> T>
auto fields(T& x) {
  return std::tie(x.clock, x.secs, x.nanosecs);
}

template <maybe_const<namespaces> T>
auto fields(T& x) {
  return std::tie(x.clone_flags, x.joins, x.uid_map, x.gid_map, x.time_offsets,
                  x.unprivileged_maps);
}

template <maybe_const<cgroup_dir> T>
auto fields(T& x) {
  return std::tie(x.controller, x.mount, x.path);
}

template <maybe_const<cgroup_write> T>
auto fields(T& x) {
  return std::tie(x.dir, x.file, x.value, x.origin);
}

template <maybe_const<unit_property> T>
auto fields(T& x) {
  return std::tie(x.name, x.type, x.value);
}

template <maybe_const<systemd_scope> T>
auto fields(T& x) {
  return std::tie(x.helper, x.unit, x.slice, x.description, x.properties);
}

template <maybe_const<cgroup> T>
auto fields(T& x) {
  return std::tie(x.mode, x.dirs, x.writes, x.triggers, x.scope,
                  x.subtree_control);
}

template <maybe_const<mount> T>
auto fields(T& x) {
  return std::tie(x.kind, x.type, x.source, x.target, x.recursive, x.attr_set,
                  x.attr_clear, x.rec_attr_set, x.rec_attr_clear, x.propagation,
                  x.propagation_recursive, x.copy_up, x.idmap, x.uid_map,
                  x.gid_map, x.data, x.origin);
}

template <maybe_const<device> T>
auto fields(T& x) {
  return std::tie(x.path, x.mode, x.major, x.minor, x.uid, x.gid, x.origin);
}

template <maybe_const<symlink> T>
auto fields(T& x) {
  return std::tie(x.path, x.target);
}

template <maybe_const<guarded_path> T>
auto fields(T& x) {
  return std::tie(x.path, x.origin);
}

template <maybe_const<rootfs> T>
auto fields(T& x) {
  return std::tie(x.path, x.readonly, x.no_pivot, x.propagation,
                  x.host_propagation, x.mounts, x.fill_dev, x.devices,
                  x.symlinks, x.masked, x.readonly_paths);
}

template <maybe_const<sysctl> T>
auto fields(T& x) {
  return std::tie(x.key, x.value, x.origin);
}

template <maybe_const<rlimit> T>
auto fields(T& x) {
  return std::tie(x.resource, x.soft, x.hard, x.origin);
}

template <maybe_const<capability_sets> T>
auto fields(T& x) {
  return std::tie(x.set, x.effective, x.permitted, x.inheritable, x.bounding,
                  x.ambient);
}

template <maybe_const<seccomp_filter> T>
auto fields(T& x) {
  return std::tie(x.program, x.flags, x.listener_path, x.listener_metadata);
}

template <maybe_const<net_device> T>
auto fields(T& x) {
  return std::tie(x.host_name, x.name, x.origin);
}

template <maybe_const<intel_rdt> T>
auto fields(T& x) {
  return std::tie(x.directory, x.shared, x.schemata, x.monitoring);
}

template <maybe_const<scheduler> T>
auto fields(T& x) {
  return std::tie(x.set, x.policy, x.nice, x.priority, x.flags, x.runtime,
                  x.deadline, x.period);
}

template <maybe_const<memory_policy> T>
auto fields(T& x) {
  return std::tie(x.set, x.mode, x.nodes);
}

template <maybe_const<process_attributes> T>
auto fields(T& x) {
  return std::tie(x.scheduler, x.io_priority, x.initial_cpus, x.final_cpus,
                  x.set_personality, x.personality, x.memory_policy,
                  x.apparmor_profile, x.selinux_label, x.keyring);
}

template <maybe_const<process> T>
auto fields(T& x) {
  return std::tie(x.args, x.env, x.cwd, x.terminal, x.rows, x.cols, x.uid,
                  x.gid, x.groups, x.umask, x.rlimits, x.oom_score_adj,
                  x.capabilities, x.no_new_privileges, x.seccomp, x.attributes);
}

template <maybe_const<hook> T>
auto fields(T& x) {
  return std::tie(x.path, x.args, x.env, x.timeout_s, x.origin);
}

template <maybe_const<hooks> T>
auto fields(T& x) {
  return std::tie(x.prestart, x.create_runtime, x.create_container,
                  x.start_container, x.poststart, x.poststop);
}

template <maybe_const<launch_plan> T>
auto fields(T& x) {
  return std::tie(x.version, x.id, x.bundle, x.oci_version, x.annotation_keys,
                  x.annotation_values, x.namespaces, x.cgroup, x.rootfs,
                  x.hostname, x.domainname, x.loopback_up, x.net_devices,
                  x.intel_rdt, x.sysctls, x.process, x.hooks, x.warnings);
}

template <maybe_const<exec_plan> T>
auto fields(T& x) {
  return std::tie(x.version, x.id, x.session, x.bundle, x.oci_version,
                  x.annotation_keys, x.annotation_values, x.namespaces,
                  x.cgroup, x.intel_rdt, x.process, x.warnings);
}

template <maybe_const<kept_filter> T>
auto fields(T& x) {
  return std::tie(x.version, x.profile, x.compiler, x.filter);
}

template <maybe_const<kept_limits> T>
auto fields(T& x) {
  return std::tie(x.version, x.resources, x.cgroup);
}

} // namespace troupe::plan
