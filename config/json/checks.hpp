#pragma once

#include "config/base/result.hpp"
#include "config/json/pointer.hpp"

#include <cstdint>
#include <span>
#include <string_view>

/// Questions that the rules of many documents ask of a value.
namespace troupe::json {

/// `/root/path: expected an absolute path, found 'rootfs'`
[[nodiscard]] tl::unexpected<failure>
refuse(const pointer& at, std::string_view expected, std::string_view found);

/// `value` must be one of `allowed`.
[[nodiscard]] outcome check_word(const pointer& at, std::string_view value,
                                 std::span<const std::string_view> allowed);

[[nodiscard]] outcome check_range(const pointer& at, std::int64_t value,
                                  std::int64_t least, std::int64_t most);

[[nodiscard]] outcome check_absolute(const pointer& at, std::string_view path);

} // namespace troupe::json
