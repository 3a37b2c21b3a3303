#pragma once

#include <cstdint>

namespace troupe::sys {

/// The host's memory in bytes, /proc/meminfo, proc(5). -1: cannot be read.
struct host_memory {
  std::int64_t total = -1;
  std::int64_t available = -1; ///< Without swapping, the kernel estimates.
  friend bool operator==(const host_memory&, const host_memory&) = default;
};

[[nodiscard]] host_memory read_host_memory();

} // namespace troupe::sys
