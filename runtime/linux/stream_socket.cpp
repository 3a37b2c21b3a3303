#include "runtime/linux/stream_socket.hpp"

#include "runtime/linux/unix_address.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

constexpr auto socket_flags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

/// Removes a socket that nobody listens on.
outcome clear_stale(const std::string& path, const sockaddr_un& at) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? outcome{} : outcome{fail_os(errno, "lstat", path)};
  if (!S_ISSOCK(found.st_mode))
    return fail(fault::already_exists,
                "listen at " + path + ": it exists and is no socket");
  const unique_fd probe{::socket(AF_UNIX, socket_flags, 0)};
  if (!probe)
    return fail_os(errno, "socket", path);
  const auto* to = reinterpret_cast<const sockaddr*>(&at);
  if (::connect(probe.get(), to, sizeof at) == 0 || errno != ECONNREFUSED)
    return fail(fault::already_exists,
                "listen at " + path + ": somebody else does");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_os(errno, "unlink", path);
  return {};
}

} // namespace

result<unique_fd> stream_listen(const std::string& path) {
  TROUPE_TRY(const auto at, unix_address(path));
  if (const auto slash = path.rfind('/'); slash != std::string::npos && slash)
    if (const auto parent = path.substr(0, slash);
        ::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST)
      return fail_os(errno, "mkdir", parent);
  TROUPE_CHECK(clear_stale(path, at));
  unique_fd out{::socket(AF_UNIX, socket_flags, 0)};
  if (!out)
    return fail_os(errno, "socket", path);
  const auto* to = reinterpret_cast<const sockaddr*>(&at);
  if (::bind(out.get(), to, sizeof at) != 0)
    return fail_os(errno, "bind", path);
  // Before listen(2) nobody can connect, so no umask is needed to make this
  // free of a race.
  if (::chmod(path.c_str(), 0660) != 0)
    return fail_os(errno, "chmod", path);
  if (::listen(out.get(), SOMAXCONN) != 0)
    return fail_os(errno, "listen", path);
  return out;
}

result<unique_fd> stream_accept(int listener) {
  unique_fd out{
    ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!out)
    return fail_os(errno, "accept4", "");
  return out;
}

namespace {

transfer transfer_of(ssize_t done) noexcept {
  if (done >= 0)
    return {static_cast<std::size_t>(done), false, false};
  const auto later = errno == EAGAIN || errno == EINTR;
  return {0, later, !later};
}

} // namespace

transfer read_some(int fd, std::span<char> into) noexcept {
  return transfer_of(::read(fd, into.data(), into.size()));
}

transfer write_some(int fd, std::string_view from) noexcept {
  return transfer_of(::send(fd, from.data(), from.size(), MSG_NOSIGNAL));
}

void end_writing(int fd) noexcept {
  ::shutdown(fd, SHUT_WR);
}

result<std::pair<unique_fd, unique_fd>> stream_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)
      != 0)
    return fail_os(errno, "socketpair", "");
  return std::pair{unique_fd{ends[0]}, unique_fd{ends[1]}};
}

} // namespace troupe::sys
