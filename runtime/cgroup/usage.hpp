#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <string>

/// What changes all the time, read again and again: the files stay open, and a
/// look is a pread(2) for each.
namespace troupe::cgroup {

/// A number of -1: not to be had here. A limit of INT64_MAX: none.
struct usage {
  std::int64_t cpu_ns = -1;
  std::int64_t memory = -1;
  /// `memory` without what is in the page cache and was not used lately, as
  /// docker and Kubernetes show it.
  std::int64_t working_set = -1;
  std::int64_t memory_limit = -1;
  std::int64_t memory_failcnt = -1;
  std::int64_t oom_kills = -1;
  std::int64_t pids = -1;
  std::int64_t pids_limit = -1;
  std::int64_t read_bytes = -1; ///< From block devices.
  std::int64_t write_bytes = -1;
  std::int64_t rx_bytes = -1; ///< Of the network, but for the loopback.
  std::int64_t tx_bytes = -1;
  friend bool operator==(const usage&, const usage&) = default;
};

class usage_reader {
public:
  /// Of the container whose cgroups are `path` in each hierarchy of `host`, and
  /// whose init is `pid` (0: its network is not looked at).
  [[nodiscard]] static result<usage_reader>
  open(const plan::host_facts& host, const std::string& path, pid_t pid);

  /// `not_found` once the cgroups are gone.
  [[nodiscard]] result<usage> read() const;

  /// The same for whoever has looked a moment ago and has seen `last`: limits,
  /// and how often they were hit, are not read again, and of a container that
  /// has not run since nothing is.
  [[nodiscard]] result<usage> read_after(const usage& last) const;

private:
  struct source {
    sys::unique_fd fd;
    bool v2 = false;
  };

  [[nodiscard]] result<std::int64_t> read_cpu() const;
  void read_amounts(usage& to) const;
  void read_limits(usage& to) const;

  source cpu_;
  source memory_;
  source memory_stat_;
  source memory_limit_;
  source memory_failures_; ///< v2: memory.events.
  source oom_;             ///< v1.
  source pids_;
  source pids_limit_;
  source block_io_;
  source network_;
};

} // namespace troupe::cgroup
