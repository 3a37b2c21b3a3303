#pragma once

#include <cstdint>

namespace troupe::sys {

/// CPU time of the whole host since boot: what execdriver's ResourceStats calls
/// SystemUsage, /proc/stat's user to softirq, proc(5).
struct host_cpu {
  std::int64_t usage_ns = -1;
  std::int64_t online = 0; ///< CPUs.
  friend bool operator==(const host_cpu&, const host_cpu&) = default;
};

[[nodiscard]] host_cpu read_host_cpu();

} // namespace troupe::sys
