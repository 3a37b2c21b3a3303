#include "config/base/quote.hpp"

#include <cstddef>

namespace troupe {

namespace {

constexpr std::size_t longest = 80;

bool is_plain(char c) {
  return c >= ' ' && c <= '~' && c != '\'' && c != '\\';
}

} // namespace

std::string quote(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out{"'"};
  for (const char c : text.substr(0, longest)) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return out.append(text.size() > longest ? "...'" : "'");
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words)
    out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

} // namespace troupe
