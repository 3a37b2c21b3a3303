#include "config/base/clock.hpp"

#include "config/base/quote.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>

namespace troupe {

namespace {

constexpr time_ns second = 1'000'000'000;
constexpr int fraction_digits = 9;

/// A reader of fixed-width text; `rest` shrinks as it succeeds.
struct scanner {
  std::string_view rest;

  bool skip(char c) {
    if (rest.empty() || rest.front() != c)
      return false;
    rest.remove_prefix(1);
    return true;
  }

  bool skip_any(std::string_view set) {
    if (rest.empty() || set.find(rest.front()) == set.npos)
      return false;
    rest.remove_prefix(1);
    return true;
  }

  std::optional<std::int64_t> digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    std::int64_t out = 0;
    while (count < rest.size() && count < most && rest[count] >= '0'
           && rest[count] <= '9')
      out = out * 10 + (rest[count++] - '0');
    if (count < least)
      return std::nullopt;
    rest.remove_prefix(count);
    return out;
  }

  /// `.5` in nanoseconds; 0 without a fraction. Digits past the ninth are read
  /// and dropped.
  std::optional<std::int64_t> fraction() {
    if (!skip('.'))
      return 0;
    const auto before = rest.size();
    auto value = digits(1, fraction_digits);
    if (!value)
      return std::nullopt;
    for (auto read = before - rest.size(); read < fraction_digits; ++read)
      *value *= 10;
    while (digits(1, 1)) {
    }
    return value;
  }

  /// `Z` or `+01:30`, in seconds east of UTC.
  std::optional<std::int64_t> offset() {
    if (skip_any("Zz"))
      return 0;
    const bool west = !rest.empty() && rest.front() == '-';
    if (!skip_any("+-"))
      return std::nullopt;
    const auto hours = digits(2, 2);
    if (!hours || *hours > 23 || !skip(':'))
      return std::nullopt;
    const auto minutes = digits(2, 2);
    if (!minutes || *minutes > 59)
      return std::nullopt;
    return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
  }

  /// Days since the epoch.
  std::optional<std::int64_t> date() {
    const auto year = digits(4, 4);
    if (!year || !skip('-'))
      return std::nullopt;
    const auto month = digits(2, 2);
    if (!month || !skip('-'))
      return std::nullopt;
    const auto day = digits(2, 2);
    if (!day)
      return std::nullopt;
    const std::chrono::year_month_day ymd{
      std::chrono::year{static_cast<int>(*year)},
      std::chrono::month{static_cast<unsigned>(*month)},
      std::chrono::day{static_cast<unsigned>(*day)}};
    if (!ymd.ok())
      return std::nullopt;
    return std::chrono::sys_days{ymd}.time_since_epoch().count();
  }

  /// Seconds since midnight. A leap second counts as the second after it.
  std::optional<std::int64_t> time_of_day() {
    const auto hours = digits(2, 2);
    if (!hours || *hours > 23 || !skip(':'))
      return std::nullopt;
    const auto minutes = digits(2, 2);
    if (!minutes || *minutes > 59 || !skip(':'))
      return std::nullopt;
    const auto seconds = digits(2, 2);
    if (!seconds || *seconds > 60)
      return std::nullopt;
    return *hours * 3600 + *minutes * 60 + *seconds;
  }
};

std::optional<time_ns> in_range(std::int64_t seconds, std::int64_t ns) {
  constexpr auto last = std::numeric_limits<time_ns>::max() / second - 1;
  if (seconds < 0 || seconds > last)
    return std::nullopt;
  return seconds * second + ns;
}

std::optional<time_ns> unix_seconds(scanner in) {
  const auto seconds = in.digits(1, 10);
  if (!seconds)
    return std::nullopt;
  const auto ns = in.fraction();
  if (!ns || !in.rest.empty())
    return std::nullopt;
  return in_range(*seconds, *ns);
}

std::optional<time_ns> date_and_time(scanner in) {
  const auto days = in.date();
  if (!days || !in.skip_any("Tt "))
    return std::nullopt;
  const auto time = in.time_of_day();
  if (!time)
    return std::nullopt;
  const auto ns = in.fraction();
  if (!ns)
    return std::nullopt;
  const auto east = in.offset();
  if (!east || !in.rest.empty())
    return std::nullopt;
  return in_range(*days * 86'400 + *time - *east, *ns);
}

time_ns read(clockid_t which) noexcept {
  timespec now{};
  ::clock_gettime(which, &now);
  return now.tv_sec * second + now.tv_nsec;
}

} // namespace

time_ns now_ns() noexcept {
  return read(CLOCK_REALTIME);
}

time_ns boot_ns() noexcept {
  return read(CLOCK_BOOTTIME);
}

std::string rfc3339(time_ns at) {
  if (at == 0)
    return {};
  const auto since = std::chrono::nanoseconds{at};
  const auto days = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days{days}};
  const std::chrono::hh_mm_ss time{since - days};
  char out[64];
  const auto length = std::snprintf(
    out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ",
    static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
    static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()),
    static_cast<int>(time.seconds().count()),
    static_cast<int>(time.subseconds().count()));
  return {out, static_cast<std::size_t>(length)};
}

result<time_ns> parse_time(std::string_view text) {
  if (const auto seconds = unix_seconds({text}))
    return *seconds;
  if (const auto date = date_and_time({text}))
    return *date;
  return fail(fault::invalid_config,
              "time: expected RFC 3339 or unix seconds from 1970 to 2262, "
              "found "
                + quote(text));
}

} // namespace troupe
