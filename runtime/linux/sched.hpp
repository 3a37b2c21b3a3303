#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <span>

/// How the kernel schedules the calling thread and what it will run:
/// sched_setattr(2), sched_setaffinity(2), ioprio_set(2).
namespace troupe::sys {

/// The part of `struct sched_attr` that a plan has; utilisation clamps are 0.
struct scheduling {
  std::uint32_t policy = 0; ///< SCHED_*
  std::uint64_t flags = 0;  ///< SCHED_FLAG_*
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0; ///< ns, as are the next two.
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

[[nodiscard]] outcome set_scheduling(const scheduling& x);

/// Pins the thread to `cpus`.
[[nodiscard]] outcome set_affinity(std::span<const std::uint32_t> cpus);

/// Lets the thread run on all that its cpuset has.
[[nodiscard]] outcome reset_affinity();

/// Class and level (`class << 13 | level`) of the caller's process group.
[[nodiscard]] outcome set_io_priority(int value);

} // namespace troupe::sys
