#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <span>

/// NUMA policies: set_mempolicy(2).
namespace troupe::sys {

/// Whether the kernel has them (CONFIG_NUMA).
[[nodiscard]] bool has_memory_policies() noexcept;

/// Sets the calling thread's policy, which fork(2) and execve(2) keep. `mode`:
/// MPOL_* | MPOL_F_*.
[[nodiscard]] outcome set_memory_policy(std::uint32_t mode,
                                        std::span<const std::uint32_t> nodes);

} // namespace troupe::sys
