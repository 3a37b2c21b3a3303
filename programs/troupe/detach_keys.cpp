#include "programs/troupe/detach_keys.hpp"

#include "config/base/quote.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace troupe::client {

namespace {

/// "a" is itself, "ctrl-a" is 1: ascii(7).
std::optional<char> key_of(std::string_view word) {
  constexpr std::string_view control = "ctrl-";
  if (word.size() == 1 && std::isprint(static_cast<unsigned char>(word[0])))
    return word[0];
  if (!word.starts_with(control) || word.size() != control.size() + 1)
    return std::nullopt;
  const auto c = std::tolower(static_cast<unsigned char>(word.back()));
  if (std::isalpha(c) != 0)
    return static_cast<char>(c - 'a' + 1);
  if (std::string_view{"@[\\]^_"}.find(static_cast<char>(c))
      != std::string_view::npos)
    return static_cast<char>(c - '@');
  return std::nullopt;
}

} // namespace

result<detach_keys> detach_keys::parse(std::string_view text) {
  detach_keys out;
  for (auto rest = text; !rest.empty();) {
    const auto size = std::min(rest.find(','), rest.size());
    const auto key = key_of(rest.substr(0, size));
    const auto ends_in_comma = size + 1 == rest.size();
    if (!key || ends_in_comma)
      return fail(fault::invalid_config,
                  "--detach-keys: expected characters or ctrl-X, such as "
                  "ctrl-p,ctrl-q, found "
                    + quote(text));
    out.keys_ += *key;
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return out;
}

std::string detach_keys::take(std::string_view typed) {
  std::string out;
  for (const auto c : typed) {
    if (detached_)
      break;
    if (held_ < keys_.size() && c == keys_[held_]) {
      detached_ = ++held_ == keys_.size();
      continue;
    }
    if (held_ == 1 && c == keys_[0]) { // twice: once
      held_ = 0;
      out += c;
      continue;
    }
    out += release();
    if (!keys_.empty() && c == keys_[0])
      held_ = 1;
    else
      out += c;
  }
  return out;
}

std::string detach_keys::release() {
  return keys_.substr(0, std::exchange(held_, 0));
}

} // namespace troupe::client
