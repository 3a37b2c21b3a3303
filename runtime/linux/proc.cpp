#include "runtime/linux/proc.hpp"

#include "runtime/linux/mount.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

outcome check_is_proc(int fd, std::string_view subject) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0)
    return fail_os(errno, "fstatfs", subject);
  if (info.f_type != PROC_SUPER_MAGIC)
    return fail_os(EXDEV, "not on procfs:", subject);
  return {};
}

/// The root directory of every procfs has this inode number, linux/proc_fs.h.
constexpr ino_t proc_root_inode = 1;

} // namespace

result<private_proc> private_proc::open() {
  TROUPE_TRY(auto mount, make_filesystem("proc", "proc", {},
                                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
                                           | MOUNT_ATTR_NOEXEC));
  TROUPE_CHECK(check_is_proc(mount.get(), "a new procfs"));
  return private_proc{std::move(mount)};
}

result<private_proc> private_proc::of_host() {
  auto root = unique_fd{::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!root)
    return fail_os(errno, "open", "/proc");
  TROUPE_CHECK(check_is_proc(root.get(), "/proc"));
  struct stat info {};
  if (::fstat(root.get(), &info) != 0 || info.st_ino != proc_root_inode)
    return fail_os(EXDEV, "not the root of procfs:", "/proc");
  return private_proc{std::move(root)};
}

result<unique_fd> private_proc::open_file(const std::string& path,
                                          int flags) const {
  auto how = open_how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS
                | RESOLVE_NO_MAGICLINKS;
  const auto fd = static_cast<int>(
    ::syscall(SYS_openat2, mount_.get(), path.c_str(), &how, sizeof(how)));
  if (fd < 0)
    return fail_os(errno, "open", "/proc/" + path);
  auto file = unique_fd{fd};
  TROUPE_CHECK(check_is_proc(fd, path));
  return file;
}

outcome private_proc::write(const std::string& path,
                            std::string_view value) const {
  TROUPE_TRY(const auto file, open_file(path, O_WRONLY));
  if (::write(file.get(), value.data(), value.size())
      != static_cast<ssize_t>(value.size()))
    return fail_os(errno, "write", "/proc/" + path);
  return {};
}

result<std::string> private_proc::read(const std::string& path) const {
  TROUPE_TRY(const auto file, open_file(path, O_RDONLY));
  std::string out;
  char part[4096];
  for (;;) {
    const auto n = ::read(file.get(), part, sizeof(part));
    if (n < 0)
      return fail_os(errno, "read", "/proc/" + path);
    if (n == 0)
      return out;
    out.append(part, static_cast<std::size_t>(n));
  }
}

result<unique_fd> private_proc::root_of(int pid) const {
  TROUPE_TRY(const auto process,
             open_file(std::to_string(pid), O_PATH | O_DIRECTORY));
  // The one magic link that is wanted: its meaning is the process's root.
  const auto fd = ::openat(process.get(), "root",
                           O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return fail_os(errno, "open", "/proc/" + std::to_string(pid) + "/root");
  return unique_fd{fd};
}

result<unique_fd> private_proc::namespace_of(int pid,
                                             const std::string& kind) const {
  const auto where = std::to_string(pid) + "/ns";
  TROUPE_TRY(const auto all, open_file(where, O_PATH | O_DIRECTORY));
  // A magic link again: its meaning is the namespace.
  const auto fd = ::openat(all.get(), kind.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail_os(errno, "open", "/proc/" + where + "/" + kind);
  return unique_fd{fd};
}

std::string sysctl_path(const std::string& key) {
  auto out = key;
  const auto first = out.find_first_of("./");
  if (first != std::string::npos && out[first] == '.')
    for (auto& c : out)
      c = c == '.' ? '/' : c == '/' ? '.' : c;
  return "sys/" + out;
}

} // namespace troupe::sys
