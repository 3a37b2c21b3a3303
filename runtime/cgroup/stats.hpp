#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What a container has used: libcontainer's Stats (cgroups/stats.go), in one
/// shape for cgroup v1 and v2. A number of -1: this host or version has no such
/// counter. A limit of INT64_MAX: none. Sources:
/// Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst.
namespace troupe::cgroup {

inline constexpr std::int64_t no_limit = INT64_MAX;

/// Bytes.
struct memory_amount {
  std::int64_t usage = -1;
  std::int64_t max_usage = -1;
  std::int64_t limit = -1;
  std::int64_t failcnt = -1; ///< How often the limit was hit.
  friend bool operator==(const memory_amount&, const memory_amount&) = default;
};

/// A line of memory.stat.
struct named_number {
  std::string name;
  std::int64_t value = -1;
  friend bool operator==(const named_number&, const named_number&) = default;
};

/// One block device.
struct block_io {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;
  std::int64_t discard_bytes = 0;
  std::int64_t read_ios = 0;
  std::int64_t write_ios = 0;
  std::int64_t discard_ios = 0;
  friend bool operator==(const block_io&, const block_io&) = default;
};

/// One size of huge pages: "2MB", bytes.
struct hugepages {
  std::string size;
  memory_amount amount;
  friend bool operator==(const hugepages&, const hugepages&) = default;
};

struct rdma_device {
  std::string name;
  std::int64_t handles = -1;
  std::int64_t objects = -1;
  friend bool operator==(const rdma_device&, const rdma_device&) = default;
};

/// A line of a pressure file, Documentation/accounting/psi.rst.
struct stall {
  double avg10 = 0; ///< Percent of the time.
  double avg60 = 0;
  double avg300 = 0;
  std::int64_t total_us = -1;
  friend bool operator==(const stall&, const stall&) = default;
};

struct pressure {
  stall some;
  stall full;
  friend bool operator==(const pressure&, const pressure&) = default;
};

struct stats {
  std::int64_t cpu_usage_ns = -1;
  std::int64_t cpu_user_ns = -1;
  std::int64_t cpu_system_ns = -1;
  std::vector<std::int64_t> cpu_percpu_ns; ///< v1.
  std::int64_t cpu_periods = -1;
  std::int64_t cpu_throttled_periods = -1;
  std::int64_t cpu_throttled_ns = -1;
  memory_amount memory;
  memory_amount swap;       ///< Memory and swap together.
  memory_amount kernel;     ///< Of `memory`; v2: usage alone.
  memory_amount kernel_tcp; ///< The same, of sockets.
  std::int64_t memory_cache = -1;
  std::vector<named_number> memory_stat;
  std::int64_t oom_kills = -1; ///< Below it, too.
  std::int64_t pids_current = -1;
  std::int64_t pids_limit = -1;
  std::vector<cgroup::block_io> block_io;
  std::vector<hugepages> hugetlb;
  std::vector<rdma_device> rdma;
  pressure cpu_pressure;
  pressure memory_pressure;
  pressure io_pressure;
  friend bool operator==(const stats&, const stats&) = default;
};

} // namespace troupe::cgroup
