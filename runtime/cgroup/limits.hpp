#pragma once

#include "config/oci/spec.hpp"
#include "runtime/cgroup/write_list.hpp"

/// One function per part of `linux.resources`, each adding its writes in the
/// order in which the kernel accepts them on a fresh cgroup.
namespace troupe::cgroup {

[[nodiscard]] outcome put_cpu(write_list& to, const oci::cpu_resources& x);
[[nodiscard]] outcome put_memory(write_list& to,
                                 const oci::memory_resources& x);
[[nodiscard]] outcome put_pids(write_list& to, std::int64_t limit);
[[nodiscard]] outcome put_block_io(write_list& to,
                                   const oci::block_io_resources& x);
[[nodiscard]] outcome put_hugepages(write_list& to,
                                    const std::vector<oci::hugepage_limit>& xs);
[[nodiscard]] outcome put_network(write_list& to,
                                  const oci::network_resources& x);
[[nodiscard]] outcome put_rdma(write_list& to,
                               const std::map<std::string, oci::rdma_limit>& x);

/// v1: a write to devices.allow or devices.deny for each rule. v2: one
/// pseudo-write to `device_program_file`.
[[nodiscard]] outcome put_devices(write_list& to,
                                  const std::vector<oci::device_rule>& rules);

} // namespace troupe::cgroup
