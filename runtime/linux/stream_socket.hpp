#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

/// SOCK_STREAM unix sockets, listening and in pairs: unix(7). No abstract
/// names.
namespace troupe::sys {

/// Listens at `path` with mode 0660, non-blocking and CLOEXEC. Makes the
/// directory (0700) if it is missing. A socket that nobody answers at is
/// replaced; one that somebody does is `already_exists`, and so is anything
/// else of that name.
[[nodiscard]] result<unique_fd> stream_listen(const std::string& path);

/// The next connection, non-blocking and CLOEXEC; `exhausted` (EAGAIN) when
/// there is none.
[[nodiscard]] result<unique_fd> stream_accept(int listener);

/// What a non-blocking read or write has done.
struct transfer {
  std::size_t bytes = 0;
  bool would_block = false; ///< There is nothing to read, or no room.
  bool failed = false;      ///< The connection is broken.
};

/// Reads into `into`; 0 bytes without `would_block`: the end.
[[nodiscard]] transfer read_some(int fd, std::span<char> into) noexcept;

/// MSG_NOSIGNAL.
[[nodiscard]] transfer write_some(int fd, std::string_view from) noexcept;

/// Whoever reads at the other end finds the end: shutdown(2).
void end_writing(int fd) noexcept;

/// Two that are connected to each other, non-blocking and CLOEXEC.
[[nodiscard]] result<std::pair<unique_fd, unique_fd>> stream_pair();

} // namespace troupe::sys
