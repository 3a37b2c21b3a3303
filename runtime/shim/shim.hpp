#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstddef>
#include <string>

namespace troupe::shim {

inline constexpr int most_spare_launchers = 16;

/// The life of a shim: settles, listens at `path` (absolute), says "ready" or
/// why not on `ready`, and serves until it is not needed any more.
[[nodiscard]] outcome run(const std::string& path, std::size_t spare_launchers,
                          sys::unique_fd ready);

} // namespace troupe::shim
