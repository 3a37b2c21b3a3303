#include "config/cluster_settings.hpp"

#include "config/base/quote.hpp"
#include "config/json/checks.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace troupe {

namespace {

constexpr std::size_t longest_host = 253; // RFC 1035
constexpr std::size_t longest_label = 63;

bool is_port(std::string_view text) {
  auto port = 0U;
  const auto* end = text.data() + text.size();
  const auto [rest, why] = std::from_chars(text.data(), end, port);
  return why == std::errc{} && rest == end && port > 0 && port < 65536;
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= longest_label
         && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789._-/")
              == text.npos;
}

outcome check_host_port(const json::pointer& at, const std::string& text) {
  if (auto parsed = parse_host_port(text); !parsed)
    return json::refuse(at, "HOST:PORT", quote(text));
  return {};
}

outcome check_labels(const json::pointer& at, const cluster_settings& x) {
  constexpr auto wanted = "1 to 63 of A-Za-z0-9._-/";
  for (const auto& [key, value] : x.labels) {
    if (!is_label(key))
      return json::refuse(at, std::string{"names of "} + wanted, quote(key));
    if (!is_label(value))
      return json::refuse(at / key, wanted, quote(value));
  }
  return {};
}

outcome check_times(const json::pointer& at, const cluster_settings& x) {
  constexpr std::int64_t hour_ms = 3'600'000;
  // Less than a second: CAF's own heartbeat ends connections that have just
  // begun (caf-0.17.md, 5.2).
  TROUPE_CHECK(
    json::check_range(at / "heartbeat_ms", x.heartbeat_ms, 1'000, hour_ms));
  TROUPE_CHECK(json::check_range(at / "suspect_after_ms", x.suspect_after_ms,
                                 x.heartbeat_ms + 1, hour_ms));
  return json::check_range(at / "down_after_ms", x.down_after_ms,
                           x.suspect_after_ms + 1, hour_ms);
}

} // namespace

result<host_port> parse_host_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || !is_port(std::string_view{text}.substr(colon + 1)))
    return fail(fault::invalid_config, quote(text) + ": expected HOST:PORT");
  host_port out{text.substr(0, colon), text.substr(colon + 1)};
  if (out.host.starts_with('[') && out.host.ends_with(']'))
    out.host = out.host.substr(1, out.host.size() - 2);
  else if (out.host.find(':') != out.host.npos)
    return fail(fault::invalid_config,
                quote(text) + ": expected [ADDRESS]:PORT of an IPv6 address");
  if (out.host.empty() || out.host.size() > longest_host)
    return fail(fault::invalid_config, quote(text) + ": expected HOST:PORT");
  return out;
}

outcome validate(const cluster_settings& x) {
  const auto at = json::pointer{"/cluster"};
  TROUPE_CHECK(check_times(at, x));
  TROUPE_CHECK(check_labels(at / "labels", x));
  for (std::size_t i = 0; i < x.join.size(); ++i)
    TROUPE_CHECK(check_host_port(at / "join" / i, x.join[i]));
  if (!x.is_on())
    return x.join.empty()
             ? outcome{}
             : json::refuse(at / "listen", "HOST:PORT, beside join", "nothing");
  TROUPE_CHECK(check_host_port(at / "listen", x.listen));
  if (!x.address.empty())
    TROUPE_CHECK(check_host_port(at / "address", x.address));
  struct row {
    std::string_view key;
    const std::string& path;
  };
  for (const auto& [key, path] : std::array{
         row{"ca", x.ca}, row{"certificate", x.certificate}, row{"key", x.key}})
    TROUPE_CHECK(json::check_absolute(at / key, path));
  return {};
}

} // namespace troupe
