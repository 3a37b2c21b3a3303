#pragma once

#include "config/log_choice.hpp"
#include "runtime/cgroup/stats.hpp"
#include "runtime/linux/host_cpu.hpp"
#include "runtime/linux/net_counters.hpp"

#include <caf/meta/type_name.hpp>

/// What config/ and runtime/ know, for CAF: `inspect` must be found beside the
/// type.
#define TROUPE_INSPECT(type, ...)                                              \
  template <class Inspector>                                                   \
  auto inspect(Inspector& f, type& x) {                                        \
    return f(caf::meta::type_name(#type), __VA_ARGS__);                        \
  }

namespace troupe {

TROUPE_INSPECT(log_choice, x.driver, x.path, x.max_size, x.max_files, x.mode)

} // namespace troupe

namespace troupe::cgroup {

TROUPE_INSPECT(memory_amount, x.usage, x.max_usage, x.limit, x.failcnt)
TROUPE_INSPECT(named_number, x.name, x.value)
TROUPE_INSPECT(block_io, x.major, x.minor, x.read_bytes, x.write_bytes,
               x.discard_bytes, x.read_ios, x.write_ios, x.discard_ios)
TROUPE_INSPECT(hugepages, x.size, x.amount)
TROUPE_INSPECT(rdma_device, x.name, x.handles, x.objects)
TROUPE_INSPECT(stall, x.avg10, x.avg60, x.avg300, x.total_us)
TROUPE_INSPECT(pressure, x.some, x.full)
TROUPE_INSPECT(stats, x.cpu_usage_ns, x.cpu_user_ns, x.cpu_system_ns,
               x.cpu_percpu_ns, x.cpu_periods, x.cpu_throttled_periods,
               x.cpu_throttled_ns, x.memory, x.swap, x.kernel, x.kernel_tcp,
               x.memory_cache, x.memory_stat, x.oom_kills, x.pids_current,
               x.pids_limit, x.block_io, x.hugetlb, x.rdma, x.cpu_pressure,
               x.memory_pressure, x.io_pressure)

} // namespace troupe::cgroup

namespace troupe::sys {

TROUPE_INSPECT(net_counters, x.name, x.rx_bytes, x.rx_packets, x.rx_errors,
               x.rx_dropped, x.tx_bytes, x.tx_packets, x.tx_errors,
               x.tx_dropped)
TROUPE_INSPECT(host_cpu, x.usage_ns, x.online)

} // namespace troupe::sys

#undef TROUPE_INSPECT
