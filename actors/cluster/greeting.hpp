#pragma once

#include "config/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::cluster {

/// Of what nodes say to each other: greetings, and messages over BASP.
extern const std::uint32_t protocol_version;

/// What nodes tell each other inside TLS, before anything else: first the one
/// that has connected, then the other. One JSON object, its length in four
/// bytes before it, the highest first.
struct greeting {
  std::uint32_t protocol = protocol_version;
  std::string version;           ///< The program's, for people.
  std::string name;              ///< Its certificate says the same.
  std::uint64_t incarnation = 0; ///< When it was started, ns since 1970.
  std::string address;           ///< Where it can be reached.
  /// Of an answer: why not. Empty: it is a link from here on.
  std::string refusal{};
  /// Of an answer: whoever names it later is who has been greeted here.
  std::string token{};
  friend bool operator==(const greeting&, const greeting&) = default;
};

inline constexpr std::size_t longest_greeting = 16U << 10U;
inline constexpr std::size_t length_size = 4;

/// The bytes of it.
[[nodiscard]] std::string encode(greeting x);

/// The length that its first bytes tell of what follows them.
[[nodiscard]] result<std::size_t> decode_length(std::string_view first_bytes);

/// What follows them.
[[nodiscard]] result<greeting> decode_greeting(std::string_view text);

} // namespace troupe::cluster
