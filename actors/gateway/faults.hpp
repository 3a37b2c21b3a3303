#pragma once

#include "actors/gateway/request.hpp"
#include "config/base/failure.hpp"

#include <string_view>

namespace troupe::gateway {

/// The HTTP status of a failure.
[[nodiscard]] unsigned status_of(const failure& why) noexcept;

/// The error document of a failure, with its status.
[[nodiscard]] response error_response(const failure& why);

/// An error of HTTP's own that no fault stands for: `method_not_allowed`...
[[nodiscard]] response error_response(unsigned status, std::string_view code,
                                      std::string_view message);

} // namespace troupe::gateway
