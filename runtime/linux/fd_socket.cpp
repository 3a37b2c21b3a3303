#include "runtime/linux/fd_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace troupe::sys {

result<unique_fd> connect_stream(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  // An empty path would be an abstract or autobound name.
  if (path.empty() || path.size() >= sizeof to.sun_path)
    return fail_os(ENAMETOOLONG, "connect", path);
  std::ranges::copy(path, to.sun_path);
  unique_fd out{
    ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!out)
    return fail_os(errno, "socket", path);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to)
      != 0)
    return fail_os(errno, "connect", path);
  if (::fcntl(out.get(), F_SETFL, O_RDWR) != 0)
    return fail_os(errno, "fcntl", "blocking socket");
  return out;
}

outcome send_with_fd(int socket, std::string_view text, int fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec io{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  auto sent = ssize_t{0};
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return fail_os(errno, "sendmsg", "with a descriptor");
  if (static_cast<std::size_t>(sent) != text.size())
    return fail_os(EMSGSIZE, "sendmsg", "with a descriptor");
  return {};
}

} // namespace troupe::sys
