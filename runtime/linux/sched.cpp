#include "runtime/linux/sched.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace troupe::sys {

namespace {

/// struct sched_attr since Linux 5.3. The header that has it and glibc's
/// sched.h exclude each other in some versions.
struct kernel_sched_attr {
  std::uint32_t size = sizeof(kernel_sched_attr);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
  std::uint32_t util_min = 0;
  std::uint32_t util_max = 0;
};
static_assert(sizeof(kernel_sched_attr) == 56);

constexpr auto word_bits = 8 * sizeof(unsigned long);

/// CONFIG_NR_CPUS is 8192 at most.
constexpr std::size_t all_cpus = 8192;

outcome set_mask(std::span<const unsigned long> mask, const char* subject) {
  if (::syscall(SYS_sched_setaffinity, 0, mask.size_bytes(), mask.data()) != 0)
    return fail_os(errno, "sched_setaffinity", subject);
  return {};
}

} // namespace

outcome set_scheduling(const scheduling& x) {
  auto attr = kernel_sched_attr{};
  attr.policy = x.policy;
  attr.flags = x.flags;
  attr.nice = x.nice;
  attr.priority = x.priority;
  attr.runtime = x.runtime;
  attr.deadline = x.deadline;
  attr.period = x.period;
  if (::syscall(SYS_sched_setattr, 0, &attr, 0) != 0)
    return fail_os(errno, "sched_setattr",
                   "policy " + std::to_string(x.policy));
  return {};
}

outcome set_affinity(std::span<const std::uint32_t> cpus) {
  const auto highest = cpus.empty() ? 0 : std::ranges::max(cpus);
  std::vector<unsigned long> mask(highest / word_bits + 1);
  for (const auto cpu : cpus)
    mask[cpu / word_bits] |= 1UL << cpu % word_bits;
  return set_mask(mask, "of the CPUs asked for");
}

outcome reset_affinity() {
  return set_mask(std::vector(all_cpus / word_bits, ~0UL), "of all CPUs");
}

outcome set_io_priority(int value) {
  constexpr auto of_process_group = 2; // IOPRIO_WHO_PGRP
  if (::syscall(SYS_ioprio_set, of_process_group, 0, value) != 0)
    return fail_os(errno, "ioprio_set", std::to_string(value));
  return {};
}

} // namespace troupe::sys
