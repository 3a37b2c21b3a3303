#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// A moment in nanoseconds since the epoch, CLOCK_REALTIME. 0: never.
using time_ns = std::int64_t;

/// Now, by CLOCK_REALTIME.
[[nodiscard]] time_ns now_ns() noexcept;

/// Nanoseconds since boot, CLOCK_BOOTTIME: for spans of time, because nobody
/// sets it.
[[nodiscard]] time_ns boot_ns() noexcept;

/// RFC 3339 in UTC with nine digits: `2026-11-22T05:23:00.000000001Z`. Empty
/// for 0.
[[nodiscard]] std::string rfc3339(time_ns at);

/// Parses RFC 3339 (any fraction, `Z` or offset), `0` and plain unix seconds
/// with an optional fraction.
[[nodiscard]] result<time_ns> parse_time(std::string_view text);

} // namespace troupe
