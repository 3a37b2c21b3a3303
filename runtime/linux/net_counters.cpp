#include "runtime/linux/net_counters.hpp"

#include "runtime/linux/file.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::sys {

namespace {

/// The columns of the file, in their order; those without a place here (fifo,
/// frame, compressed, multicast...) are null.
constexpr std::int64_t net_counters::*columns[] = {
  &net_counters::rx_bytes,
  &net_counters::rx_packets,
  &net_counters::rx_errors,
  &net_counters::rx_dropped,
  nullptr,
  nullptr,
  nullptr,
  nullptr,
  &net_counters::tx_bytes,
  &net_counters::tx_packets,
  &net_counters::tx_errors,
  &net_counters::tx_dropped,
};

void read_columns(net_counters& to, std::string_view text) {
  for (const auto column : columns) {
    const auto start = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(start);
    auto value = std::int64_t{0};
    const auto [next, error] = std::from_chars(
      text.data(), text.data() + text.size(), value);
    if (error != std::errc{})
      return;
    if (column)
      to.*column = value;
    text.remove_prefix(static_cast<std::size_t>(next - text.data()));
  }
}

} // namespace

std::vector<net_counters> parse_net_counters(std::string_view text) {
  std::vector<net_counters> out;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    // A name may hold a colon (an alias); numbers do not.
    const auto colon = line.rfind(':');
    if (colon == line.npos) // the two lines of headings
      continue;
    net_counters each;
    auto name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    each.name = name;
    read_columns(each, line.substr(colon + 1));
    out.push_back(std::move(each));
  }
  return out;
}

result<std::vector<net_counters>> read_net_counters(pid_t pid) {
  TROUPE_TRY(const auto text,
             read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/net/dev"));
  return parse_net_counters(text);
}

} // namespace troupe::sys
