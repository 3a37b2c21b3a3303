#include "actors/gateway/query.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <utility>

namespace troupe::gateway {

namespace {

constexpr auto longest_wait = std::chrono::hours{24};

failure complain(std::string_view name, std::string_view expected,
                 std::string_view found) {
  auto what = std::string{"parameter "};
  what.append(name).append(": expected ").append(expected);
  what.append(", found ").append(quote(found));
  return {fault::invalid_config, 0, std::move(what)};
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return std::nullopt;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number out{};
  const auto* end = text.data() + text.size();
  const auto [at, why] = std::from_chars(text.data(), end, out);
  if (why != std::errc{} || at != end)
    return std::nullopt;
  return out;
}

std::optional<std::int32_t> signal_of(std::string_view text) {
  if (const auto number = number_of<std::int32_t>(text))
    return *number >= 1 && *number < NSIG ? number : std::nullopt;
  if (text.starts_with("SIG"))
    text.remove_prefix(3);
  for (auto signo = 1; signo < NSIG; ++signo)
    if (const auto* name = ::sigabbrev_np(signo); name && text == name)
      return signo;
  return std::nullopt;
}

} // namespace

result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1])
                                          : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low || (*high == 0 && *low == 0))
      return fail(fault::invalid_config,
                  "target: expected % and two hexadecimal digits, not 00, in "
                    + quote(text));
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

result<query> query::parse(std::string_view text,
                           std::span<const std::string_view> allowed) {
  query out;
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    TROUPE_TRY(auto name, percent_decoded(pair.substr(0, equals)));
    const auto raw = pair.substr(std::min(equals + 1, pair.size()));
    TROUPE_TRY(auto value, percent_decoded(raw));
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
      return fail(fault::invalid_config,
                  "parameter " + quote(name) + ": unknown; allowed: "
                    + (allowed.empty() ? "none" : joined(allowed)));
    const auto [at, fresh] = out.parameters_.emplace(std::move(name),
                                                     std::move(value));
    if (!fresh)
      return fail(fault::invalid_config,
                  "parameter " + at->first + ": given twice");
  }
  return out;
}

result<bool> query::flag(std::string_view name, bool otherwise) const {
  const auto* value = find(name);
  if (!value)
    return otherwise;
  if (*value == "1" || *value == "true")
    return true;
  if (*value == "0" || *value == "false")
    return false;
  return fail(complain(name, "0, 1, false or true", *value));
}

result<std::optional<std::uint64_t>> query::natural(std::string_view name,
                                                    std::uint64_t most) const {
  const auto* value = find(name);
  if (!value)
    return std::optional<std::uint64_t>{};
  const auto number = number_of<std::uint64_t>(*value);
  if (!number || *number > most)
    return fail(complain(
      name, "a whole number from 0 to " + std::to_string(most), *value));
  return number;
}

result<time_ns> query::moment(std::string_view name) const {
  const auto* value = find(name);
  if (!value)
    return time_ns{0};
  if (auto at = parse_time(*value))
    return *at;
  return fail(complain(name, "RFC 3339 or unix seconds", *value));
}

result<std::chrono::nanoseconds>
query::seconds(std::string_view name,
               std::chrono::nanoseconds otherwise) const {
  const auto* value = find(name);
  if (!value)
    return otherwise;
  constexpr auto most = std::chrono::duration<double>{longest_wait};
  const auto number = number_of<double>(*value);
  // Written so that NaN fails, too.
  if (!number || !(*number >= 0 && *number <= most.count()))
    return fail(complain(name, "seconds, from 0 to 86400", *value));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
    std::chrono::duration<double>{*number});
}

result<std::int32_t> query::signal(std::string_view name,
                                   std::int32_t otherwise) const {
  const auto* value = find(name);
  if (!value)
    return otherwise;
  if (const auto signo = signal_of(*value))
    return *signo;
  return fail(complain(name, "a signal's name (TERM) or number (15)", *value));
}

result<std::string_view>
query::word(std::string_view name,
            std::span<const std::string_view> words) const {
  const auto* value = find(name);
  if (!value)
    return words.front();
  const auto at = std::find(words.begin(), words.end(), *value);
  if (at == words.end())
    return fail(complain(name, "one of " + joined(words), *value));
  return *at;
}

std::string query::text(std::string_view name) const {
  const auto* value = find(name);
  return value ? *value : std::string{};
}

const std::string* query::find(std::string_view name) const {
  const auto at = parameters_.find(name);
  return at == parameters_.end() ? nullptr : &at->second;
}

} // namespace troupe::gateway
