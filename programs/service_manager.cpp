#include "programs/service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

namespace troupe::service_manager {

namespace {

constexpr auto keep_environment = 0;

void tell(const std::string& lines) {
  ::sd_notify(keep_environment, lines.c_str());
}

} // namespace

result<sys::unique_fd> passed_socket() {
  constexpr auto clear_environment = 1;
  const auto count = ::sd_listen_fds(clear_environment);
  if (count < 0)
    return fail_os(-count, "read", "LISTEN_FDS");
  if (count == 0)
    return sys::unique_fd{};
  sys::unique_fd out{SD_LISTEN_FDS_START};
  if (count != 1
      || ::sd_is_socket_unix(out.get(), SOCK_STREAM, 1, nullptr, 0) <= 0)
    return fail(fault::invalid_config,
                "LISTEN_FDS: expected one listening SOCK_STREAM unix socket, "
                "found "
                  + (count == 1 ? "something else"
                                : std::to_string(count) + " descriptors"));
  // sd_listen_fds has made it close-on-exec.
  const auto flags = ::fcntl(out.get(), F_GETFL);
  if (flags < 0 || ::fcntl(out.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl", "LISTEN_FDS");
  return out;
}

result<std::string> path_of(const sys::unique_fd& socket) {
  sockaddr_un at{};
  socklen_t size = sizeof at;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return fail_os(errno, "getsockname", "LISTEN_FDS");
  if (size <= offsetof(sockaddr_un, sun_path) || at.sun_path[0] != '/')
    return fail(fault::invalid_config,
                "LISTEN_FDS: expected a socket with an absolute path");
  return std::string{at.sun_path};
}

int pulse_ms() noexcept {
  std::uint64_t micros = 0;
  if (::sd_watchdog_enabled(keep_environment, &micros) <= 0)
    return -1;
  constexpr std::uint64_t most = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<std::uint64_t>(micros / 2000, 1, most));
}

void tell_ready(const std::string& status) {
  tell("READY=1\nSTATUS=" + status);
}

void tell_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
}

void tell_stopping() {
  tell("STOPPING=1");
}

void tell_alive() {
  tell("WATCHDOG=1");
}

} // namespace troupe::service_manager
