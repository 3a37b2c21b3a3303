#pragma once

#include "config/oci/words.hpp"

#include <array>
#include <cstdint>
#include <sched.h>
#include <string_view>

/// The words of a process's attributes as the kernel's numbers. Those that
/// older headers lack are written out: linux/sched.h, linux/ioprio.h,
/// linux/mempolicy.h, linux/personality.h.
namespace troupe::plan::numbers {

struct number_of {
  std::string_view word;
  std::uint32_t number;
};

inline constexpr std::array policies{
  number_of{"SCHED_OTHER", SCHED_OTHER}, number_of{"SCHED_FIFO", SCHED_FIFO},
  number_of{"SCHED_RR", SCHED_RR},       number_of{"SCHED_BATCH", SCHED_BATCH},
  number_of{"SCHED_IDLE", SCHED_IDLE},   number_of{"SCHED_DEADLINE", 6}};

inline constexpr std::array scheduler_flags{
  number_of{"SCHED_FLAG_RESET_ON_FORK", 0x01},
  number_of{"SCHED_FLAG_RECLAIM", 0x02},
  number_of{"SCHED_FLAG_DL_OVERRUN", 0x04},
  number_of{"SCHED_FLAG_KEEP_POLICY", 0x08},
  number_of{"SCHED_FLAG_KEEP_PARAMS", 0x10},
  number_of{"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
  number_of{"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}};
static_assert(scheduler_flags.size() == oci::words::scheduler_flags.size());

inline constexpr std::array io_classes{number_of{"IOPRIO_CLASS_RT", 1},
                                       number_of{"IOPRIO_CLASS_BE", 2},
                                       number_of{"IOPRIO_CLASS_IDLE", 3}};

inline constexpr std::array memory_modes{
  number_of{"MPOL_DEFAULT", 0},
  number_of{"MPOL_PREFERRED", 1},
  number_of{"MPOL_BIND", 2},
  number_of{"MPOL_INTERLEAVE", 3},
  number_of{"MPOL_LOCAL", 4},
  number_of{"MPOL_PREFERRED_MANY", 5},
  number_of{"MPOL_WEIGHTED_INTERLEAVE", 6}};
static_assert(memory_modes.size() == oci::words::memory_policy_modes.size());

inline constexpr std::array memory_flags{
  number_of{"MPOL_F_STATIC_NODES", 1U << 15},
  number_of{"MPOL_F_RELATIVE_NODES", 1U << 14},
  number_of{"MPOL_F_NUMA_BALANCING", 1U << 13}};
static_assert(memory_flags.size() == oci::words::memory_policy_flags.size());

inline constexpr std::array personalities{number_of{"LINUX", 0},
                                          number_of{"LINUX32", 0x0008}};
static_assert(personalities.size() == oci::words::personalities.size());

} // namespace troupe::plan::numbers
