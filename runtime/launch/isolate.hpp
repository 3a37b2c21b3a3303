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

} // namespace troupe::launch
