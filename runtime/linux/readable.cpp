#include "runtime/linux/readable.hpp"

#include <cerrno>
#include <poll.h>

namespace troupe::sys {

result<bool> wait_readable(int fd, std::chrono::milliseconds patience) {
  auto waiting = pollfd{fd, POLLIN, 0};
  auto ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready < 0)
    return fail_os(errno, "poll", "");
  return ready > 0;
}

} // namespace troupe::sys
