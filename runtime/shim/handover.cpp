#include "runtime/shim/handover.hpp"

#include <cerrno>
#include <fcntl.h>

namespace troupe::shim {

bool loader::take_descriptor(sys::unique_fd& x) {
  auto number = -1;
  if (!take(number) || number < -1)
    return false;
  if (number >= 0 && ::fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
    return false;
  x.reset(number);
  return true;
}

outcome keep_over_exec(const std::vector<int>& descriptors, bool keep) {
  for (const auto fd : descriptors)
    if (::fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) != 0)
      return fail_os(errno, "fcntl F_SETFD", "descriptor");
  return {};
}

} // namespace troupe::shim
