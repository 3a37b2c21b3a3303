#include "config/base/container_id.hpp"

#include "config/base/quote.hpp"

#include <array>
#include <cstdint>
#include <sys/random.h>

namespace troupe {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9');
}

bool is_allowed(char c) {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '+' || c == '-';
}

tl::unexpected<failure> refused(std::string_view id, std::string_view why) {
  auto what = "container id " + quote(id);
  return fail(fault::invalid_config, what.append(": ").append(why));
}

} // namespace

result<std::string> checked_id(std::string_view id) {
  if (id.empty())
    return refused(id, "expected at least one character, found none");
  if (id.size() > max_id_length)
    return refused(id, "expected at most " + std::to_string(max_id_length)
                         + " bytes, found " + std::to_string(id.size()));
  if (!is_alphanumeric(id.front()))
    return refused(id, "expected a letter or digit first, found "
                         + quote(id.substr(0, 1)));
  for (const char& c : id)
    if (!is_allowed(c))
      return refused(id, "expected letters, digits and _.+- only, found "
                           + quote({&c, 1}));
  return std::string{id};
}

std::string random_id() {
  std::array<std::uint8_t, 6> bytes{};
  // getrandom(2): up to 256 bytes are never cut short once the pool is ready;
  // before that the call can be interrupted.
  while (::getrandom(bytes.data(), bytes.size(), 0)
         != static_cast<ssize_t>(bytes.size())) {
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes)
    out.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  return out;
}

} // namespace troupe
