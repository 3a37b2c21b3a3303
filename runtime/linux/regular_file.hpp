#pragma once

#include "config/base/result.hpp"

#include <cstddef>
#include <fcntl.h>
#include <string>

namespace troupe::sys {

/// How to open a file that someone else made, for `read_regular`: a FIFO does
/// not block, a terminal does not become ours.
inline constexpr int untrusted_read = O_RDONLY | O_NONBLOCK | O_NOCTTY;

/// The whole content of `fd`, which must be a regular file (not a FIFO or a
/// device, which could block or never end) of at most `limit` bytes. `path` is
/// for the failure's text.
[[nodiscard]] result<std::string> read_regular(int fd, const std::string& path,
                                               std::size_t limit);

} // namespace troupe::sys
