#pragma once

#include "config/base/result.hpp"

#include <string_view>

namespace troupe {

/// A signal by number or name, with or without SIG, in any case: `9`, `TERM`,
/// `sigkill`.
[[nodiscard]] result<int> signal_number(std::string_view text);

} // namespace troupe
