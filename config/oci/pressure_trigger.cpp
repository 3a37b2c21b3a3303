#include "config/oci/pressure_trigger.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace troupe {

namespace {

using std::string_view;

constexpr std::int64_t shortest_window = 500'000;
constexpr std::int64_t longest_window = 10'000'000;

/// "150ms", "1s", "800us".
std::optional<std::int64_t> microseconds(string_view text) {
  std::int64_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto got = std::from_chars(text.data(), end, count);
  const string_view unit{got.ptr, static_cast<std::size_t>(end - got.ptr)};
  const auto factor = unit == "us"   ? 1
                      : unit == "ms" ? 1'000
                      : unit == "s"  ? 1'000'000
                                     : 0;
  if (got.ec != std::errc{} || factor == 0 || count <= 0
      || count > longest_window)
    return std::nullopt;
  return count * factor;
}

bool is_one_of(string_view x, std::initializer_list<string_view> words) {
  return std::ranges::find(words, x) != words.end();
}

/// What is before `separator`, which is taken away with it.
string_view cut(string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const auto out = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return out;
}

} // namespace

result<pressure_trigger> parse_pressure_trigger(string_view text) {
  auto rest = text;
  pressure_trigger out;
  out.resource = cut(rest, '=');
  out.kind = cut(rest, ':');
  const auto stall = microseconds(cut(rest, '/'));
  const auto window = microseconds(rest);
  if (!is_one_of(out.resource, {"cpu", "memory", "io"})
      || !is_one_of(out.kind, {"some", "full"}) || !stall || !window)
    return fail(fault::invalid_config,
                "expected cpu|memory|io=some|full:STALL/WINDOW, such as "
                "memory=some:150ms/1s, found "
                  + quote(text));
  if (*window < shortest_window || *window > longest_window || *stall > *window)
    return fail(fault::invalid_config,
                "expected a window of 500ms to 10s, and no longer stall, found "
                  + quote(text));
  out.stall_us = *stall;
  out.window_us = *window;
  return out;
}

result<std::vector<pressure_trigger>>
parse_pressure_triggers(string_view text) {
  std::vector<pressure_trigger> out;
  do {
    TROUPE_TRY(out.emplace_back(), parse_pressure_trigger(cut(text, ',')));
  } while (!text.empty());
  return out;
}

std::string to_kernel_text(const pressure_trigger& x) {
  return x.kind + ' ' + std::to_string(x.stall_us) + ' '
         + std::to_string(x.window_us);
}

} // namespace troupe
