#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <string>

/// mount(2), for the one thing that it can and fsconfig(2) cannot: values of
/// more than 255 bytes, as overlay's `lowerdir` has them.
namespace troupe::sys {

/// Whether one of the values is too long for fsconfig(2).
[[nodiscard]] bool is_too_long(std::span<const std::string> data) noexcept;

/// As `make_filesystem`, by mount(2): on a directory that only we can reach (of
/// a tmpfs of our own, put on `scratch` for this long), from where the result
/// is taken off again, detached. Needs a mount namespace of our own.
[[nodiscard]] result<unique_fd>
make_filesystem_classic(const std::string& type, const std::string& source,
                        std::span<const std::string> data,
                        std::uint64_t attributes, int scratch);

} // namespace troupe::sys
