#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace troupe::sys {

/// A network interface's line of /proc/PID/net/dev, proc(5).
struct net_counters {
  std::string name;
  std::int64_t rx_bytes = 0;
  std::int64_t rx_packets = 0;
  std::int64_t rx_errors = 0;
  std::int64_t rx_dropped = 0;
  std::int64_t tx_bytes = 0;
  std::int64_t tx_packets = 0;
  std::int64_t tx_errors = 0;
  std::int64_t tx_dropped = 0;
  friend bool operator==(const net_counters&, const net_counters&) = default;
};

[[nodiscard]] std::vector<net_counters>
parse_net_counters(std::string_view text);

/// Those of the network namespace that process `pid` is in.
[[nodiscard]] result<std::vector<net_counters>> read_net_counters(pid_t pid);

} // namespace troupe::sys
