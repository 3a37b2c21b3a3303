#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// When a container's want of CPU, memory or I/O is worth an event:
/// Documentation/accounting/psi.rst, "Monitoring for pressure thresholds".
namespace troupe {

struct pressure_trigger {
  std::string resource;      ///< "cpu", "memory", "io"
  std::string kind;          ///< "some": any task stalls; "full": all do.
  std::int64_t stall_us = 0; ///< So much of each window.
  std::int64_t window_us = 0;
  friend bool operator==(const pressure_trigger&, const pressure_trigger&)
    = default;
};

/// The annotation that has them, separated by commas.
inline constexpr std::string_view pressure_annotation
  = "troupe.notify-pressure";

/// "memory=some:150ms/1s": the kernel takes windows from 500 ms to 10 s, and of
/// whoever lacks CAP_SYS_RESOURCE only multiples of 2 s.
[[nodiscard]] result<pressure_trigger>
parse_pressure_trigger(std::string_view text);

/// Several, separated by commas.
[[nodiscard]] result<std::vector<pressure_trigger>>
parse_pressure_triggers(std::string_view text);

/// As a pressure file takes it: "some 150000 1000000".
[[nodiscard]] std::string to_kernel_text(const pressure_trigger& x);

} // namespace troupe
