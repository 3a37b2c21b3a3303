#include "runtime/compile/explain.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace troupe::plan {

namespace {

constexpr std::size_t columns = 5;
using row = std::array<std::string, columns>;

/// Plans hold the words of whoever wrote the config; a terminal must not obey
/// them.
std::string printable(const std::string& text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte != 0x7f)
      out += each;
    else
      out.append("\\x").append({digits[byte >> 4U], digits[byte & 0xfU]});
  }
  return out;
}

row to_row(const explained_step& x) {
  return {std::to_string(x.number), x.where, x.phase,
          x.origin.empty() ? "-" : printable(x.origin), printable(x.what)};
}

/// `what` comes last: it is the only column that may be of any length.
std::vector<row> to_rows(const std::vector<explained_step>& steps) {
  std::vector<row> out{{"STEP", "WHERE", "PHASE", "ORIGIN", "WHAT"}};
  for (const auto& x : steps)
    out.push_back(to_row(x));
  return out;
}

} // namespace

std::string explain_json(const launch_plan& plan) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& x : explain(plan))
    out.push_back({{"number", x.number},
                   {"phase", x.phase},
                   {"what", x.what},
                   {"origin", x.origin},
                   {"where", x.where}});
  // A path may be any bytes; JSON may not.
  return out.dump(2, ' ', false,
                  nlohmann::ordered_json::error_handler_t::replace);
}

std::string explain_table(const launch_plan& plan) {
  const auto rows = to_rows(explain(plan));
  std::array<std::size_t, columns> widths{};
  for (const auto& each : rows)
    for (std::size_t i = 0; i + 1 != columns; ++i)
      widths[i] = std::max(widths[i], each[i].size());
  std::string out;
  for (const auto& each : rows) {
    for (std::size_t i = 0; i + 1 != columns; ++i)
      out.append(each[i]).append(widths[i] - each[i].size() + 2, ' ');
    out.append(each.back()).append("\n");
  }
  for (const auto& each : plan.warnings)
    out.append("warning: ").append(printable(each)).append("\n");
  return out;
}

} // namespace troupe::plan
