#pragma once

#include "config/base/result.hpp"

#include <chrono>

namespace troupe::sys {

/// poll(2) for as long as it takes.
inline constexpr std::chrono::milliseconds for_ever{-1};

/// Waits until `fd` can be read, has ended or has failed (a pidfd: until its
/// process has ended). False: not within `patience`. Signals do not end it.
[[nodiscard]] result<bool> wait_readable(int fd,
                                         std::chrono::milliseconds patience);

} // namespace troupe::sys
