#include "runtime/launch/stdio.hpp"

#include "runtime/linux/pty.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

bool is_null(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISCHR(info.st_mode)
         && info.st_rdev == makedev(1, 3);
}

/// The container's own /dev/null: with the host's, the container's root could
/// change the mode of the host's inode.
result<sys::unique_fd> open_null() {
  sys::unique_fd null{::open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY
                                            | O_NONBLOCK | O_NOFOLLOW)};
  if (!null)
    return fail_os(errno, "open", "/dev/null");
  if (!is_null(null.get()))
    return fail_os(ENODEV, "/dev/null", "is not the character device 1:3");
  ::fcntl(null.get(), F_SETFL, 0);
  return null;
}

/// A second descriptor above 2 for the same file, out of the way of dup2.
result<sys::unique_fd> duplicate(int fd) {
  if (fd < 0)
    return open_null();
  // containerd gives out one that is open for reading only, as stdout too.
  if (is_null(fd))
    if (auto own = open_null())
      return own;
  sys::unique_fd out{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
  if (!out)
    return fail_os(errno, "fcntl", "F_DUPFD_CLOEXEC");
  return out;
}

void give_to(int fd, uid_t owner) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || info.st_uid == owner)
    return;
  // Refused on a read-only file system or in a user namespace that lacks the
  // owner: the program then only cannot open the file a second time.
  if (S_ISFIFO(info.st_mode) || ::isatty(fd) == 1)
    if (::fchown(fd, owner, static_cast<gid_t>(-1)) != 0)
      return;
}

} // namespace

outcome take_stdio(const lines& with, int terminal, uid_t owner) {
  std::array<sys::unique_fd, 3> fds;
  auto given = std::array{with.stdin_fd, with.stdout_fd, with.stderr_fd};
  if (terminal >= 0) {
    TROUPE_CHECK(sys::take_controlling_terminal(terminal));
    given.fill(terminal);
  }
  for (auto i = 0U; i < fds.size(); ++i) {
    TROUPE_TRY(fds[i], duplicate(given[i]));
  }
  for (auto i = 0; i < 3; ++i) {
    const auto fd = fds[static_cast<std::size_t>(i)].get();
    give_to(fd, owner);
    if (::dup2(fd, i) < 0)
      return fail_os(errno, "dup2", "");
  }
  return {};
}

} // namespace troupe::launch
