#pragma once

#include "config/base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The kubelet's CRI log format: one line per record,
/// `2026-11-22T05:23:00.000000001Z stdout F text\n`. `F` is a full line, whose
/// text ended in a newline; `P` is a piece without one: a line longer than
/// `max_text`, or the last output of a process that did not end its line.
namespace troupe::log {

enum class stream : std::uint8_t { out = 1, err = 2 };

/// Longest text of one record; longer lines are split into `P` records.
inline constexpr std::size_t max_text = 16U << 10U;

struct entry {
  time_ns time = 0;
  log::stream stream = log::stream::out;
  bool partial = false;
  std::string_view text; ///< Without the newline. Points into the line.
};

/// Appends one record to `out`.
void format(std::string& out, const entry& x);

/// Appends all of a record but its text and newline, for a writer of many
/// records with one `timestamp` (rfc3339).
void begin_record(std::string& out, std::string_view timestamp, stream from,
                  bool partial);

/// Parses one line without its newline; nothing if it is not a record.
[[nodiscard]] std::optional<entry> parse(std::string_view line);

} // namespace troupe::log
