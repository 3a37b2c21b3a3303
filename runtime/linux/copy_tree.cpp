#include "runtime/linux/copy_tree.hpp"

#include "runtime/linux/unique_fd.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <memory>
#include <string>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

constexpr auto read_flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

outcome copy_content(int from, int to, const char* name) {
  for (;;) {
    const auto n = ::sendfile(to, from, nullptr, 1U << 30U);
    if (n == 0)
      return {};
    if (n < 0)
      return fail_os(errno, "copy", name);
  }
}

outcome copy_file(int from, int to, const char* name) {
  const unique_fd in{::openat(from, name, read_flags)};
  if (!in)
    return fail_os(errno, "open", name);
  const unique_fd out{
    ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!out)
    return fail_os(errno, "create", name);
  return copy_content(in.get(), out.get(), name);
}

outcome copy_link(int from, int to, const char* name) {
  char text[PATH_MAX + 1] = {};
  if (::readlinkat(from, name, text, PATH_MAX) < 0)
    return fail_os(errno, "readlinkat", name);
  if (::symlinkat(text, to, name) != 0)
    return fail_os(errno, "symlinkat", name);
  return {};
}

outcome copy_directory(int from, int to, const char* name, dev_t device) {
  if (::mkdirat(to, name, 0700) != 0)
    return fail_os(errno, "mkdir", name);
  const unique_fd in{::openat(from, name, read_flags | O_DIRECTORY)};
  const unique_fd out{::openat(to, name, read_flags | O_DIRECTORY)};
  struct stat info {};
  if (!in || !out || ::fstat(in.get(), &info) != 0)
    return fail_os(errno, "open", name);
  if (info.st_dev != device) // something is mounted there
    return {};
  return copy_tree(in.get(), out.get());
}

outcome copy_entry(int from, int to, const char* name, dev_t device) {
  struct stat info {};
  if (::fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_os(errno, "stat", name);
  switch (info.st_mode & S_IFMT) {
  case S_IFREG:
    TROUPE_CHECK(copy_file(from, to, name));
    break;
  case S_IFDIR:
    TROUPE_CHECK(copy_directory(from, to, name, device));
    break;
  case S_IFLNK:
    TROUPE_CHECK(copy_link(from, to, name));
    break;
  default:
    if (::mknodat(to, name, info.st_mode, info.st_rdev) != 0)
      return fail_os(errno, "mknod", name);
  }
  if (::fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_os(errno, "chown", name);
  // After the owner: chown clears set-id bits.
  if (!S_ISLNK(info.st_mode)
      && ::fchmodat(to, name, info.st_mode & 07777, 0) != 0)
    return fail_os(errno, "chmod", name);
  return {};
}

} // namespace

outcome copy_tree(int from, int to) {
  struct stat info {};
  if (::fstat(from, &info) != 0)
    return fail_os(errno, "stat", "source of a copy");
  auto* opened = ::fdopendir(::fcntl(from, F_DUPFD_CLOEXEC, 3));
  if (opened == nullptr)
    return fail_os(errno, "fdopendir", "source of a copy");
  const auto directory = std::unique_ptr<DIR, int (*)(DIR*)>{opened,
                                                             &::closedir};
  for (auto* entry = ::readdir(opened); entry; entry = ::readdir(opened)) {
    const auto name = std::string{entry->d_name};
    if (name != "." && name != "..")
      TROUPE_CHECK(copy_entry(from, to, name.c_str(), info.st_dev));
  }
  return {};
}

} // namespace troupe::sys
