#pragma once

#include "actors/messages.hpp"
#include "config/base/result.hpp"

#include <string_view>

/// Request bodies: strict, because a misspelt member that is passed over is an
/// option silently lost. Every complaint starts with the JSON pointer.
namespace troupe::gateway {

[[nodiscard]] result<msg::create_container>
parse_create_container(std::string_view body);

[[nodiscard]] result<msg::create_exec> parse_create_exec(std::string_view body);

} // namespace troupe::gateway
