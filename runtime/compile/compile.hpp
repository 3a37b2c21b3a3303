#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <functional>
#include <string>

namespace troupe::plan {

/// Compiles a profile to BPF with libseccomp. Takes tens of milliseconds for a
/// docker-sized profile, so results are kept by content for the process's life.
[[nodiscard]] result<seccomp_filter>
compile_seccomp(const oci::seccomp& profile);

/// compile_seccomp, or what remembers its results for longer.
using seccomp_compiler
  = std::function<result<seccomp_filter>(const oci::seccomp&)>;

/// Turns a validated spec into the steps that realise it on this host. Pure:
/// equal arguments give equal plans, and no system call is made but for
/// libseccomp's export of a filter, which goes through a private memfd.
/// `bundle` is absolute. What the host cannot give is a failure with the JSON
/// pointer that asked for it, never a silent skip; only capabilities that
/// cannot be granted are dropped, with a line in `launch_plan::warnings`, as
/// config.md wants since 1.1.
[[nodiscard]] result<launch_plan>
compile(const oci::spec& spec, const host_facts& host, const std::string& id,
        const std::string& bundle,
        const seccomp_compiler& filters = compile_seccomp);

/// Turns a process into a plan to run it inside the container of `in`: its
/// namespaces, cgroups and seccomp filter and, where `process` leaves them
/// open, its capabilities. Failures' pointers start at the process: `/rlimits`.
[[nodiscard]] result<exec_plan> compile_exec(const oci::process& process,
                                             const launch_plan& in,
                                             const host_facts& host,
                                             const std::string& session);

} // namespace troupe::plan
