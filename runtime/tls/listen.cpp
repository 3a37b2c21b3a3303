#include "runtime/tls/listen.hpp"

#include <cerrno>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>

namespace troupe::tls {

result<sys::unique_fd> listen(const std::string& host,
                              const std::string& port) {
  const auto subject = host + " port " + port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const auto why = ::getaddrinfo(host.c_str(), port.c_str(), &hints,
                                     &found);
      why != 0)
    return fail(fault::invalid_config,
                "listen on " + subject + ": " + ::gai_strerror(why));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> at{found,
                                                                ::freeaddrinfo};
  sys::unique_fd fd{
    ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd)
    return fail_os(errno, "socket", subject);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd.get(), at->ai_addr, at->ai_addrlen) != 0)
    return fail_os(errno, "bind", subject);
  if (::listen(fd.get(), SOMAXCONN) != 0)
    return fail_os(errno, "listen", subject);
  return fd;
}

} // namespace troupe::tls
