#include "runtime/linux/inotify.hpp"

#include <array>
#include <cerrno>
#include <sys/inotify.h>
#include <unistd.h>

namespace troupe::sys {

result<unique_fd> watch_directory(const std::string& path) {
  unique_fd fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!fd)
    return fail_os(errno, "inotify_init1", path);
  constexpr auto changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
  if (::inotify_add_watch(fd.get(), path.c_str(), changes) < 0)
    return fail_os(errno, "inotify_add_watch", path);
  return fd;
}

void drain_inotify(int fd) noexcept {
  std::array<char, 4096> notices;
  while (::read(fd, notices.data(), notices.size()) > 0) {
  }
}

} // namespace troupe::sys
