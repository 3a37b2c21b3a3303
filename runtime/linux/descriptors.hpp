#pragma once

#include "config/base/result.hpp"

#include <vector>

/// Which descriptors a process has, and which of them its programs get:
/// close_range(2), Linux 5.9 (CLOSE_RANGE_CLOEXEC: 5.11).
namespace troupe::sys {

/// Closes every descriptor above 2 that is not in `keep`; negative entries
/// stand for nothing.
[[nodiscard]] outcome close_all_but(std::vector<int> keep);

/// Marks every descriptor from `first` on to be closed by execve
/// (CVE-2024-21626).
[[nodiscard]] outcome close_all_on_exec(int first = 3);

/// The open descriptors from 3 to 2 + `count` that execve(2) leaves open: those
/// that this program was given to pass on. Its own are CLOEXEC from birth.
[[nodiscard]] std::vector<int> inherited_descriptors(int count);

} // namespace troupe::sys
