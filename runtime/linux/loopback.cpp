#include "runtime/linux/loopback.hpp"

#include "runtime/linux/unique_fd.hpp"

#include <cerrno>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace troupe::sys {

outcome bring_loopback_up() {
  // Interface ioctls work on a socket of any family; unix sockets are always
  // there, whatever protocols the kernel has.
  const unique_fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket)
    return fail_os(errno, "socket", "");
  auto request = ifreq{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0)
    return fail_os(errno, "SIOCGIFFLAGS", "lo");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_os(errno, "SIOCSIFFLAGS", "lo");
  return {};
}

} // namespace troupe::sys
