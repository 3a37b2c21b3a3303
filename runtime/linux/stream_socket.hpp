#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>
#include <sys/types.h>

/// Listening SOCK_STREAM unix sockets: unix(7). No abstract names.
namespace troupe::sys {

/// Listens at `path` with mode 0660, non-blocking and CLOEXEC. Makes the
/// directory (0700) if it is missing. A socket that nobody answers at is
/// replaced; one that somebody does is `already_exists`, and so is anything
/// else of that name.
[[nodiscard]] result<unique_fd> stream_listen(const std::string& path);

/// The next connection, non-blocking and CLOEXEC; `exhausted` (EAGAIN) when
/// there is none.
[[nodiscard]] result<unique_fd> stream_accept(int listener);

} // namespace troupe::sys
