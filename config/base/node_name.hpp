#pragma once

#include "config/base/result.hpp"

#include <cstddef>
#include <string_view>

namespace troupe {

/// Longest name of a node, in bytes: that of a DNS label (RFC 1035, 2.3.4).
inline constexpr std::size_t max_node_name = 63;

/// Checks a node's name against `[a-z0-9][a-z0-9-]{0,62}`. The failure says
/// what is wrong and what is allowed.
[[nodiscard]] outcome check_node_name(std::string_view name);

} // namespace troupe
