#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe::shim {

/// Starts a shim that will listen at `socket_path` (absolute), as a daemon of
/// its own session, from a sealed copy of `binary` in memory (so that nothing a
/// container can reach leads to the program that runs it, CVE-2019-5736).
/// Returns when it listens, or with the reason why it does not.
///
/// BLOCKS until then, and forks: for a caller's start, while it has one thread.
[[nodiscard]] result<void> start_shim(const std::string& binary,
                                      const std::string& socket_path,
                                      std::uint32_t spare_launchers);

} // namespace troupe::shim
