#pragma once

#include "config/base/result.hpp"

#include <string>
#include <string_view>

namespace troupe {

/// Longest id, in bytes (design 8.8). One id is one path component, so NAME_MAX
/// bounds what can really be used for the state directory: 255.
inline constexpr std::size_t max_id_length = 255;

/// Checks an id against `[A-Za-z0-9][A-Za-z0-9_.+-]*` and the length limit.
/// Returns it unchanged; the failure says what is wrong and what is allowed.
[[nodiscard]] result<std::string> checked_id(std::string_view id);

/// A fresh random id: 12 lower-case hexadecimal digits.
[[nodiscard]] std::string random_id();

} // namespace troupe
