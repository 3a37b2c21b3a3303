#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::gateway {

/// Decodes `%41`. `+` is a plus: nothing here comes out of an HTML form.
[[nodiscard]] result<std::string> percent_decoded(std::string_view text);

/// A request's query parameters. Every complaint names its parameter, what was
/// found and what is allowed.
class query {
public:
  /// Parses `a=1&b=2`. Names that are not in `allowed`, or given twice, are
  /// failures.
  [[nodiscard]] static result<query>
  parse(std::string_view text, std::span<const std::string_view> allowed);

  /// 1 or true, 0 or false; absent is `otherwise`.
  [[nodiscard]] result<bool> flag(std::string_view name,
                                  bool otherwise = false) const;
  [[nodiscard]] result<std::optional<std::uint64_t>>
  natural(std::string_view name, std::uint64_t most) const;
  /// A moment as of parse_time; absent is 0.
  [[nodiscard]] result<time_ns> moment(std::string_view name) const;
  /// Seconds, with a fraction or without; at most a day.
  [[nodiscard]] result<std::chrono::nanoseconds>
  seconds(std::string_view name, std::chrono::nanoseconds otherwise) const;
  /// `TERM`, `SIGTERM` or `15`.
  [[nodiscard]] result<std::int32_t> signal(std::string_view name,
                                            std::int32_t otherwise) const;
  /// One of `words`, the first of which an absent parameter means.
  [[nodiscard]] result<std::string_view>
  word(std::string_view name, std::span<const std::string_view> words) const;
  /// Whatever it is; absent is empty.
  [[nodiscard]] std::string text(std::string_view name) const;

private:
  [[nodiscard]] const std::string* find(std::string_view name) const;

  std::map<std::string, std::string, std::less<>> parameters_;
};

} // namespace troupe::gateway
