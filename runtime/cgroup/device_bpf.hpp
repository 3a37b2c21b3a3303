#pragma once

#include "config/base/result.hpp"
#include "runtime/cgroup/device_rules.hpp"

#include <linux/bpf.h>
#include <string>
#include <vector>

/// Device control in cgroup v2: a program that the kernel asks at each mknod
/// and open of a device. Source: linux/bpf.h `struct bpf_cgroup_dev_ctx`,
/// Documentation/admin-guide/cgroup-v2.rst "Device controller".
namespace troupe::cgroup {

/// The program of `lines`. It looks at each access bit by itself: the last rule
/// that names a device and a bit decides about it; what no rule names is
/// allowed. Pure.
[[nodiscard]] std::vector<bpf_insn>
device_program(const std::vector<device_line>& lines);

/// Loads `program` and attaches it to the v2 cgroup `directory`, in place of
/// those that are attached there.
[[nodiscard]] outcome
attach_device_program(const std::string& directory,
                      const std::vector<bpf_insn>& program);

} // namespace troupe::cgroup
