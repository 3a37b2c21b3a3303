#pragma once

#include "runtime/oci/container.hpp"
#include "runtime/oci/operations.hpp"

#include <chrono>

/// How containers come to their end.
namespace troupe::oci_runtime {

/// How long SIGKILL may take until init is dead.
inline constexpr std::chrono::milliseconds kill_patience{10'000};

/// Kills init, frozen or not, and waits until it is dead.
[[nodiscard]] outcome kill_init(const container& x);

/// Waits until init is dead; `timed_out` if it does not die.
[[nodiscard]] outcome wait_until_dead(const container& x,
                                      std::chrono::milliseconds patience);

/// Undoes a container whose init is dead: what is left in its cgroups, these
/// themselves, poststop hooks, its directory. The caller has its lock.
[[nodiscard]] outcome destroy(const runtime& in, const plan::launch_plan& plan);

} // namespace troupe::oci_runtime
