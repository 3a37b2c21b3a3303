#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace troupe::bench {

/// What a process has in memory, /proc/PID/smaps_rollup.
struct footprint {
  double pss_kib = 0; ///< Shared pages count as shares.
  double rss_kib = 0;
};

[[nodiscard]] result<footprint> footprint_of(pid_t pid);
[[nodiscard]] result<footprint> footprint_of(const std::vector<pid_t>& all);

/// What a process's threads have used, /proc/PID/task.
struct usage {
  std::int64_t cpu_ns = 0;   ///< schedstat(5): exact, not in ticks.
  std::int64_t switches = 0; ///< Of its own will: as often did it wake up.
};

[[nodiscard]] result<usage> usage_of(pid_t pid);

/// Processes of that name (/proc/PID/comm) whose command line holds `text`.
[[nodiscard]] std::vector<pid_t> find_processes(const std::string& name,
                                                const std::string& text);

} // namespace troupe::bench
