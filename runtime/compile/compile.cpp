#include "runtime/compile/compile.hpp"

#include "runtime/cgroup/writes.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <sched.h>

namespace troupe::plan {

namespace {

void copy_annotations(const oci::spec& spec, launch_plan& out) {
  out.annotation_keys.reserve(spec.annotations.size());
  out.annotation_values.reserve(spec.annotations.size());
  for (const auto& [key, value] : spec.annotations) {
    out.annotation_keys.push_back(key);
    out.annotation_values.push_back(value);
  }
}

std::vector<sysctl>
compile_sysctls(const std::map<std::string, std::string>& values) {
  std::vector<sysctl> out;
  out.reserve(values.size());
  for (const auto& [key, value] : values)
    out.push_back({key, value, at_key("/linux/sysctl", key)});
  return out;
}

result<seccomp_filter> seccomp_of(const oci::spec& spec,
                                  const seccomp_compiler& filters) {
  if (!spec.linux_.seccomp)
    return seccomp_filter{};
  return filters(*spec.linux_.seccomp);
}

/// A session is confined as its container is, unless it asks for a label of its
/// own.
void inherit(const process_attributes& from, process_attributes& to) {
  to.set_personality = from.set_personality;
  to.personality = from.personality;
  to.memory_policy = from.memory_policy;
  to.keyring = from.keyring;
  if (to.apparmor_profile.empty())
    to.apparmor_profile = from.apparmor_profile;
  if (to.selinux_label.empty())
    to.selinux_label = from.selinux_label;
}

} // namespace

result<launch_plan> compile(const oci::spec& spec, const host_facts& host,
                            const std::string& id, const std::string& bundle,
                            const seccomp_compiler& filters) {
  TROUPE_CHECK(refuse_unsupported(spec, host));
  TROUPE_CHECK(refuse_unprivileged(spec, host));
  launch_plan out;
  out.id = id;
  out.bundle = bundle;
  out.oci_version = spec.oci_version;
  copy_annotations(spec, out);
  TROUPE_TRY(out.namespaces,
             compile_namespaces(spec.linux_, host, out.warnings));
  TROUPE_TRY(out.cgroup, troupe::cgroup::plan_cgroup(spec, host, id));
  const auto own = own_namespaces(out.namespaces);
  TROUPE_TRY(out.rootfs, compile_rootfs(spec, bundle, host, own, out.warnings));
  out.rootfs.mounts = show_cgroups(std::move(out.rootfs.mounts), host,
                                   out.namespaces.clone_flags);
  out.hostname = spec.hostname;
  out.domainname = spec.domainname;
  out.loopback_up = (out.namespaces.clone_flags & CLONE_NEWNET) != 0;
  out.net_devices = compile_net_devices(spec.linux_);
  TROUPE_TRY(out.intel_rdt, compile_intel_rdt(spec.linux_, host, id));
  out.sysctls = compile_sysctls(spec.linux_.sysctl);
  if (spec.process) {
    const auto granted = grantable_capabilities(host, own);
    TROUPE_TRY(out.process, compile_process(*spec.process, "/process", granted,
                                            out.warnings));
    TROUPE_TRY(out.process.attributes,
               compile_attributes(*spec.process, "/process", false, host));
  }
  TROUPE_CHECK(add_attributes(spec.linux_, id, out.process.attributes));
  TROUPE_TRY(out.process.seccomp, seccomp_of(spec, filters));
  out.hooks = compile_hooks(spec.hooks);
  return out;
}

result<exec_plan> compile_exec(const oci::process& process,
                               const launch_plan& in, const host_facts& host,
                               const std::string& session) {
  TROUPE_CHECK(refuse_unsupported(process, "", host));
  exec_plan out;
  out.id = in.id;
  out.session = session;
  out.bundle = in.bundle;
  out.oci_version = in.oci_version;
  out.annotation_keys = in.annotation_keys;
  out.annotation_values = in.annotation_values;
  out.namespaces = own_namespaces(in.namespaces);
  out.cgroup.mode = in.cgroup.mode;
  out.cgroup.dirs = in.cgroup.dirs;
  out.intel_rdt = in.intel_rdt;
  out.intel_rdt.schemata.clear();
  const auto granted = grantable_capabilities(host, out.namespaces);
  TROUPE_TRY(out.process, compile_process(process, "", granted, out.warnings));
  TROUPE_TRY(out.process.attributes,
             compile_attributes(process, "", true, host));
  inherit(in.process.attributes, out.process.attributes);
  if (!process.capabilities)
    out.process.capabilities = in.process.capabilities;
  out.process.seccomp = in.process.seccomp;
  return out;
}

} // namespace troupe::plan
