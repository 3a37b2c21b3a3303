#include "config/base/quote.hpp"
#include "config/run_options.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace troupe {

namespace {

struct unit {
  std::string_view name; ///< In lower case.
  int power;             ///< Of 1024.
};

// docker's, with and without the final b.
constexpr std::array units{
  unit{"", 0},    unit{"b", 0},  unit{"k", 1},   unit{"kb", 1},  unit{"kib", 1},
  unit{"m", 2},   unit{"mb", 2}, unit{"mib", 2}, unit{"g", 3},   unit{"gb", 3},
  unit{"gib", 3}, unit{"t", 4},  unit{"tb", 4},  unit{"tib", 4},
};

const unit* find_unit(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  for (const auto& each : units)
    if (each.name == lower)
      return &each;
  return nullptr;
}

} // namespace

result<std::int64_t> parse_size(std::string_view text) {
  const auto refused = [&] {
    return fail(fault::invalid_config,
                "size: expected a number with one of b, k, m, g, t, up to "
                "8388607t, found "
                  + quote(text));
  };
  const auto end = text.find_first_not_of("0123456789.");
  const auto digits = text.substr(0, end);
  const auto* name = find_unit(text.substr(digits.size()));
  double number = 0;
  const auto [rest, error] = std::from_chars(digits.data(),
                                             digits.data() + digits.size(),
                                             number, std::chars_format::fixed);
  if (!name || digits.starts_with('.') || digits.ends_with('.')
      || error != std::errc{} || rest != digits.data() + digits.size())
    return refused();
  // Below 2^63, in a double that is exact for every whole number of KiB.
  const auto bytes = std::ldexp(number, 10 * name->power);
  if (bytes >= 0x1p63)
    return refused();
  return static_cast<std::int64_t>(bytes);
}

} // namespace troupe
