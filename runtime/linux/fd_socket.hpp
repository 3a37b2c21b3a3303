#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>
#include <string_view>

/// Handing one descriptor to somebody who listens on a SOCK_STREAM unix socket,
/// as console and seccomp sockets do: unix(7), SCM_RIGHTS.
namespace troupe::sys {

/// Connects to the socket at `path`; EAGAIN instead of a wait when its backlog
/// is full. Blocking and CLOEXEC afterwards.
[[nodiscard]] result<unique_fd> connect_stream(const std::string& path);

/// Sends `text`, not empty, and `fd` in one sendmsg(2). MSG_NOSIGNAL.
[[nodiscard]] outcome send_with_fd(int socket, std::string_view text, int fd);

} // namespace troupe::sys
