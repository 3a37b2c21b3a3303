#pragma once

#include "config/base/result.hpp"

#include <chrono>
#include <vector>

namespace troupe::launch {

/// How long a cgroup's processes may take to die before its removal fails.
inline constexpr std::chrono::milliseconds removal_patience{10'000};

/// Cuts a fresh fork off from the process that made it: keeps only `lines`,
/// descriptors 0 to 2 and the `preserve` next ones as far as their owner meant
/// them to be inherited (other containers' pipe ends must not live on in init),
/// resets signal mask and handlers, and makes the process non-dumpable, so that
/// nothing it meets in a joined namespace can trace it (CVE-2016-9962).
[[nodiscard]] outcome isolate(std::vector<int> lines, int preserve = 0);

/// For an ordinary user: the id maps of their child are theirs to write only
/// while it is dumpable. Init ends that (`end_own_maps`) before it meets
/// anything; there is no privilege to be stolen till then.
[[nodiscard]] outcome allow_own_maps();
[[nodiscard]] outcome end_own_maps();

} // namespace troupe::launch
