#pragma once

#include "runtime/log/cri.hpp"

#include <optional>
#include <string>
#include <string_view>

/// docker's json-file format: one object per line,
/// `{"log":"text\n","stream":"stdout","time":"2026-11-22T05:23:00.000000001Z"}`.
/// A text without the final newline is a piece (cri.hpp). JSON has no bytes
/// that are not UTF-8: such a byte is written as the lone surrogate \udcXX
/// (Python's "surrogateescape"), which `parse_json` turns back; other readers
/// show a replacement character.
namespace troupe::log {

/// Appends one record, whose text is `begin` and then `end`.
void append_json(std::string& out, std::string_view timestamp, stream from,
                 std::string_view begin, std::string_view end, bool partial);

/// Parses one line without its newline; nothing if it is not such a record. The
/// entry's text is put into `text`.
[[nodiscard]] std::optional<entry> parse_json(std::string_view line,
                                              std::string& text);

} // namespace troupe::log
