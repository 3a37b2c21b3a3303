#pragma once

#include "runtime/linux/unique_fd.hpp"

#include <array>
#include <cstring>
#include <string>
#include <sys/socket.h>

namespace troupe::test {

/// What one read of a stream socket brings, with at most one descriptor.
struct stream_message {
  std::string text; ///< Empty: the other side is gone.
  sys::unique_fd fd;
};

inline stream_message receive_message(int socket) {
  std::array<char, 1U << 16U> text{};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec io{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  stream_message out;
  const auto size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size > 0)
    out.text.assign(text.data(), static_cast<std::size_t>(size));
  if (const auto* c = CMSG_FIRSTHDR(&message);
      c != nullptr && c->cmsg_type == SCM_RIGHTS) {
    auto fd = -1;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    out.fd.reset(fd);
  }
  return out;
}

} // namespace troupe::test
