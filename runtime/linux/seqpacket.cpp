#include "runtime/linux/seqpacket.hpp"

#include "runtime/linux/unix_address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

result<unique_fd> make_socket(const std::string& path) {
  unique_fd fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  if (!fd)
    return fail_os(errno, "socket", path);
  return fd;
}

// Whether somebody is bound to `path`, asked with a socket of the wrong type:
// the answer is EPROTOTYPE for yes and ECONNREFUSED for no, and a listener does
// not notice. A real connection would take the place of its supervisor.
result<bool> is_bound(const std::string& path, const sockaddr_un& address) {
  const unique_fd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!probe)
    return fail_os(errno, "socket", path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address)
        == 0
      || errno == EPROTOTYPE || errno == EAGAIN)
    return true;
  if (errno == ECONNREFUSED || errno == ENOENT)
    return false;
  return fail_os(errno, "connect", path);
}

outcome set_nonblocking(int fd, const std::string& path) {
  if (::fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", path);
  return {};
}

outcome remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return errno == ENOENT ? outcome{} : fail_os(errno, "lstat", path);
  if (!S_ISSOCK(info.st_mode))
    return fail(failure{fault::already_exists, EEXIST,
                        "listen " + path + ": exists and is not a socket"});
  TROUPE_TRY(const auto bound, is_bound(path, address));
  if (bound)
    return fail(failure{fault::already_exists, EADDRINUSE,
                        "listen " + path + ": another process listens"});
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_os(errno, "unlink", path);
  return {};
}

std::vector<unique_fd> take_fds(msghdr& message) {
  std::vector<unique_fd> fds;
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
      continue;
    const auto count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      auto fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

/// A peer that has closed with something unread makes the next call fail, once,
/// with ECONNRESET; what it has said before that is still there.
bool is_passing(int error) {
  return error == EINTR || error == ECONNRESET;
}

/// The next packet's. A buffer as large as any packet may be would be cleared,
/// page by page, for each small one.
result<std::size_t> next_length(int socket) {
  ssize_t n = 0;
  do {
    n = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC);
  } while (n < 0 && is_passing(errno));
  if (n < 0)
    return fail_os(errno, "recv MSG_PEEK", "packet");
  return static_cast<std::size_t>(n);
}

} // namespace

result<std::pair<unique_fd, unique_fd>> seqpacket_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_os(errno, "socketpair", "");
  return std::pair{unique_fd{ends[0]}, unique_fd{ends[1]}};
}

result<unique_fd> seqpacket_listen(const std::string& path) {
  TROUPE_TRY(const auto address, unix_address(path));
  TROUPE_CHECK(remove_stale(path, address));
  TROUPE_TRY(auto fd, make_socket(path));
  // fchmod before bind gives the file its mode at birth: unix(7).
  if (::fchmod(fd.get(), 0600) != 0)
    return fail_os(errno, "fchmod", path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof address)
      != 0)
    return fail_os(errno, "bind", path);
  if (::chmod(path.c_str(), 0600) != 0)
    return fail_os(errno, "chmod", path);
  if (::listen(fd.get(), SOMAXCONN) != 0)
    return fail_os(errno, "listen", path);
  TROUPE_CHECK(set_nonblocking(fd.get(), path));
  return fd;
}

result<bool> seqpacket_is_bound(const std::string& path) {
  TROUPE_TRY(const auto address, unix_address(path));
  return is_bound(path, address);
}

result<unique_fd> seqpacket_connect(const std::string& path) {
  TROUPE_TRY(const auto address, unix_address(path));
  TROUPE_TRY(auto fd, make_socket(path));
  // Non-blocking first: a listener with a full backlog is EAGAIN, not a wait.
  TROUPE_CHECK(set_nonblocking(fd.get(), path));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address)
      != 0)
    return fail_os(errno, "connect", path);
  return fd;
}

outcome send_packet(int socket, std::span<const std::uint8_t> bytes,
                    std::span<const int> fds) {
  if (fds.size() > max_packet_fds)
    return fail(fault::invalid_config, "send packet: too many descriptors");
  alignas(cmsghdr) char control[CMSG_SPACE(max_packet_fds * sizeof(int))] = {};
  iovec io{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    auto* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR)
      return fail_os(errno, "sendmsg", "packet");
  return {};
}

result<packet> receive_packet(int socket, std::size_t limit) {
  TROUPE_TRY(const auto length, next_length(socket));
  packet got;
  got.bytes.resize(std::min(length, limit));
  alignas(cmsghdr) char control[CMSG_SPACE(max_packet_fds * sizeof(int))];
  iovec io{got.bytes.data(), got.bytes.size()};
  msghdr message{};
  message.msg_iov = &io;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n = 0;
  do {
    n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && is_passing(errno)); // it may close just now
  if (n < 0)
    return fail_os(errno, "recvmsg", "packet");
  got.fds = take_fds(message);
  if (message.msg_flags & MSG_TRUNC)
    return fail(fault::invalid_config, "receive packet: longer than "
                                         + std::to_string(limit) + " bytes");
  // Too many of them, or no number is free for them: unix(7).
  if (message.msg_flags & MSG_CTRUNC) {
    got.fds.clear();
    got.fds_lost = true;
  }
  got.bytes.resize(static_cast<std::size_t>(n));
  got.closed = n == 0 && got.fds.empty() && !got.fds_lost;
  return got;
}

result<peer_credentials> credentials_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return fail_os(errno, "getsockopt SO_PEERCRED", "");
  return peer_credentials{peer.pid, peer.uid, peer.gid};
}

} // namespace troupe::sys
