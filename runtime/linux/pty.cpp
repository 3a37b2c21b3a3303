#include "runtime/linux/pty.hpp"

#include "runtime/linux/rootfs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

outcome check_is_devpts(int fd, std::string_view subject) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0)
    return fail_os(errno, "fstatfs", subject);
  if (info.f_type != DEVPTS_SUPER_MAGIC)
    return fail_os(ENODEV, "not on a devpts:", subject);
  return {};
}

outcome check_is_ptmx(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_os(errno, "fstat", "/dev/pts/ptmx");
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2))
    return fail_os(ENODEV, "/dev/pts/ptmx", "is not the character device 5:2");
  return check_is_devpts(fd, "/dev/pts/ptmx");
}

/// A devpts holds nothing but its own devices, so that opening one of its files
/// is safe once the directory has been checked and no mount is crossed.
result<unique_fd> open_ptmx(int root) {
  TROUPE_TRY(const auto directory,
             open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY));
  TROUPE_CHECK(check_is_devpts(directory.get(), "/dev/pts"));
  auto how = open_how{};
  how.flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS
                | RESOLVE_NO_MAGICLINKS;
  auto master = unique_fd{static_cast<int>(
    ::syscall(SYS_openat2, directory.get(), "ptmx", &how, sizeof(how)))};
  if (!master)
    return fail_os(errno, "open", "/dev/pts/ptmx");
  TROUPE_CHECK(check_is_ptmx(master.get()));
  return master;
}

} // namespace

result<pty> open_pty(int root) {
  TROUPE_TRY(auto master, open_ptmx(root));
  auto locked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &locked) != 0)
    return fail_os(errno, "ioctl", "TIOCSPTLCK");
  auto slave = unique_fd{
    ::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!slave)
    return fail_os(errno, "ioctl", "TIOCGPTPEER");
  return pty{std::move(master), std::move(slave)};
}

outcome set_window_size(int terminal, std::uint16_t rows, std::uint16_t cols) {
  auto size = winsize{};
  size.ws_row = rows;
  size.ws_col = cols;
  if (::ioctl(terminal, TIOCSWINSZ, &size) != 0)
    return fail_os(errno, "ioctl", "TIOCSWINSZ");
  return {};
}

outcome take_controlling_terminal(int terminal) {
  if (::ioctl(terminal, TIOCSCTTY, 0) != 0)
    return fail_os(errno, "ioctl", "TIOCSCTTY");
  return {};
}

} // namespace troupe::sys
