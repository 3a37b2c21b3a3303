#include "runtime/linux/mount.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// What the filesystem has to say about its failure: lines of `e text`
/// (error), `w text`, `i text`, one per read, ENODATA at the end.
std::string context_log(int context) {
  std::string out;
  char line[512];
  for (auto n = ::read(context, line, sizeof(line)); n > 0;
       n = ::read(context, line, sizeof(line))) {
    auto text = std::string_view{line, static_cast<std::size_t>(n)};
    if (text.starts_with("e ") || text.starts_with("w "))
      text.remove_prefix(2);
    while (text.ends_with('\n'))
      text.remove_suffix(1);
    out.append(out.empty() ? "" : "; ").append(text);
  }
  return out;
}

tl::unexpected<failure> refused(int os_errno, int context,
                                std::string_view call,
                                std::string_view subject) {
  auto why = os_failure(os_errno, call, subject);
  if (const auto log = context_log(context); !log.empty())
    why.what.append(": ").append(log);
  return fail(std::move(why));
}

outcome configure(int context, const std::string& option) {
  const auto equals = option.find('=');
  const auto key = option.substr(0, equals);
  const auto set = equals == std::string::npos
                     ? ::fsconfig(context, FSCONFIG_SET_FLAG, key.c_str(),
                                  nullptr, 0)
                     : ::fsconfig(context, FSCONFIG_SET_STRING, key.c_str(),
                                  option.c_str() + equals + 1, 0);
  if (set != 0)
    return refused(errno, context, "fsconfig", option);
  return {};
}

} // namespace

result<unique_fd> clone_tree(int at, const std::string& path, bool recursive) {
  const auto flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
                     | static_cast<unsigned>(recursive ? AT_RECURSIVE : 0)
                     | static_cast<unsigned>(path.empty() ? AT_EMPTY_PATH : 0);
  const auto fd = ::open_tree(at, path.c_str(), flags);
  if (fd < 0)
    return fail_os(errno, "open_tree", path);
  return unique_fd{fd};
}

result<unique_fd> make_filesystem(const std::string& type,
                                  const std::string& source,
                                  std::span<const std::string> data,
                                  std::uint64_t attributes) {
  const unique_fd context{::fsopen(type.c_str(), FSOPEN_CLOEXEC)};
  if (!context)
    return fail_os(errno, "fsopen", type);
  TROUPE_CHECK(
    configure(context.get(), "source=" + (source.empty() ? type : source)));
  for (const auto& option : data)
    TROUPE_CHECK(configure(context.get(), option));
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return refused(errno, context.get(), "create filesystem", type);
  const auto mount = ::fsmount(context.get(), FSMOUNT_CLOEXEC,
                               static_cast<unsigned>(attributes));
  if (mount < 0)
    return refused(errno, context.get(), "fsmount", type);
  return unique_fd{mount};
}

outcome change_mount(int mount, const mount_change& change,
                     std::string_view subject) {
  if ((change.set | change.clear | change.propagation) == 0)
    return {};
  auto attr = mount_attr{};
  attr.attr_set = change.set;
  attr.attr_clr = change.clear;
  attr.propagation = change.propagation;
  const auto flags = static_cast<unsigned>(AT_EMPTY_PATH)
                     | static_cast<unsigned>(change.recursive ? AT_RECURSIVE
                                                              : 0);
  if (::mount_setattr(mount, "", flags, &attr, sizeof(attr)) != 0)
    return fail_os(errno, "mount_setattr", subject);
  return {};
}

outcome idmap_mount(int mount, int user, bool recursive,
                    std::string_view subject) {
  auto attr = mount_attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<std::uint64_t>(user);
  const auto flags = static_cast<unsigned>(AT_EMPTY_PATH)
                     | static_cast<unsigned>(recursive ? AT_RECURSIVE : 0);
  if (::mount_setattr(mount, "", flags, &attr, sizeof(attr)) == 0)
    return {};
  if (errno == EINVAL)
    return fail_os(EINVAL, "idmap: not for this file system:", subject);
  return fail_os(errno, "idmap", subject);
}

result<bool> is_mount(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0)
    return fail_os(errno, "statx", "");
  return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

outcome reconfigure_filesystem(int mount, std::span<const std::string> data,
                               std::string_view subject) {
  const unique_fd context{
    ::fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH)};
  if (!context)
    return fail_os(errno, "fspick", subject);
  for (const auto& option : data)
    TROUPE_CHECK(configure(context.get(), option));
  if (::fsconfig(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0)
      != 0)
    return refused(errno, context.get(), "reconfigure", subject);
  return {};
}

outcome attach_mount(int mount, int target, std::string_view subject) {
  if (::move_mount(mount, "", target, "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
      != 0)
    return fail_os(errno, "move_mount", subject);
  return {};
}

outcome pivot_into(int root) {
  if (::fchdir(root) != 0)
    return fail_os(errno, "fchdir", "to the new root");
  // The old root is stacked on the new one (pivot_root(2), NOTES): no directory
  // for it is needed inside the container.
  if (::syscall(SYS_pivot_root, ".", ".") != 0)
    return fail_os(errno, "pivot_root", "");
  if (::umount2(".", MNT_DETACH) != 0)
    return fail_os(errno, "umount", "of the old root");
  if (::chdir("/") != 0)
    return fail_os(errno, "chdir", "/");
  return {};
}

outcome chroot_into(int root) {
  if (::fchdir(root) != 0)
    return fail_os(errno, "fchdir", "to the new root");
  if (::chroot(".") != 0)
    return fail_os(errno, "chroot", "");
  return {};
}

} // namespace troupe::sys
