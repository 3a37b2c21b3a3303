#pragma once

#include "runtime/launch/launch.hpp"

#include <sys/types.h>

namespace troupe::launch {

/// Makes the lines' stdio descriptors 0, 1 and 2, without close-on-exec, and
/// gives pipes and terminals to user `owner`, so that the program can open them
/// again through /proc/self/fd. A missing one becomes the container's
/// /dev/null. With a `terminal` (>= 0) it is all three, and the controlling one
/// of this session.
[[nodiscard]] outcome take_stdio(const lines& with, int terminal, uid_t owner);

} // namespace troupe::launch
