#pragma once

#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// `text` from a user, fit for an error message: in single quotes, bytes
/// outside printable ASCII as `\xNN`, cut after 80 bytes.
[[nodiscard]] std::string quote(std::string_view text);

/// `a, b, c`
[[nodiscard]] std::string joined(std::span<const std::string_view> words);

} // namespace troupe
