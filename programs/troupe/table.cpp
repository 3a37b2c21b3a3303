#include "programs/troupe/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

namespace troupe::client {

namespace {

/// Code points, not bytes, so that names in other scripts keep the columns.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
    std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

struct unit {
  const char* name;
  std::int64_t seconds;
};

constexpr std::array units{unit{"day", 86'400}, unit{"hour", 3'600},
                           unit{"minute", 60}, unit{"second", 1}};

} // namespace

std::string table::str() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size())
        out.append(widths[i] - width_of(row[i]) + 3, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string age(time_ns span) {
  const auto seconds = span / 1'000'000'000;
  for (const auto& each : units)
    if (seconds >= each.seconds) {
      const auto count = seconds / each.seconds;
      return std::to_string(count) + ' ' + each.name + (count == 1 ? "" : "s");
    }
  return "less than a second";
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 0)
    return "-";
  if (bytes == std::numeric_limits<std::int64_t>::max())
    return "unlimited";
  constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t name = 0;
  while (value >= 1024 && name + 1 < names.size()) {
    value /= 1024;
    ++name;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), name == 0 ? "%.0f%s" : "%.4g%s",
                value, names[name]);
  return text.data();
}

} // namespace troupe::client
