#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::shim {

/// What a shim says on its ready line when it listens, or could take over; else
/// it says why not.
inline constexpr std::string_view ready_word = "ready";

/// Starts a shim that will listen at `socket_path` (absolute), as a daemon of
/// its own session, from a sealed copy of `binary` in memory (so that nothing a
/// container can reach leads to the program that runs it, CVE-2019-5736).
/// Returns when it listens, or with the reason why it does not.
///
/// BLOCKS until then, and forks: for a caller's start, while it has one thread.
[[nodiscard]] result<void> start_shim(const std::string& binary,
                                      const std::string& socket_path,
                                      std::uint32_t spare_launchers);

/// Sees to it that the shim behind a fresh connection speaks our protocol: one
/// that speaks another is upgraded in place to `binary`. Its hello is still to
/// be received.
///
/// BLOCKS until the shim greets, or has been upgraded.
[[nodiscard]] outcome agree_on_protocol(int socket, const std::string& binary);

} // namespace troupe::shim
