#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The pure half of cgroups: which directories and which writes a spec means
/// on this host.
///
/// `cgroup_write::file` may name alternatives, "a|b": the first that exists in
/// the directory is written, with the matching alternative of `value`, "x|y".
namespace troupe::cgroup {

/// Not a file: `value` is device rules, a line each (see device_rules.hpp), to
/// be compiled to a BPF_PROG_TYPE_CGROUP_DEVICE program and attached.
inline constexpr std::string_view device_program_file = "devices.bpf";

/// Not written but read: more bytes in use than `value` is EBUSY
/// (memory.checkBeforeUpdate on v2).
inline constexpr std::string_view usage_check_file = "memory.current";

/// The container's cgroup: its directories (absolute `cgroupsPath` below each
/// hierarchy's mount, relative ones below `host.cgroup_parent`, absent:
/// `host.cgroup_parent`/ID) and the writes of its limits. A limit that this
/// host cannot give is a failure with its JSON pointer.
[[nodiscard]] result<plan::cgroup> plan_cgroup(const oci::spec& spec,
                                               const plan::host_facts& host,
                                               const std::string& id);

/// The directories of a cgroup of that path, with every usual controller.
[[nodiscard]] plan::cgroup cgroup_at(const plan::host_facts& host,
                                     const std::string& path);

/// The writes of `resources` alone, against the directories of `in`.
[[nodiscard]] result<std::vector<plan::cgroup_write>>
plan_writes(const oci::resources& resources, const plan::cgroup& in);

/// cpu.shares (2..262144) as cpu.weight (1..10000), the conversion that
/// systemd, runc and crun share.
[[nodiscard]] std::uint64_t weight_of_shares(std::uint64_t shares) noexcept;

} // namespace troupe::cgroup
