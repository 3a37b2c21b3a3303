#include "runtime/linux/mount_table.hpp"

#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

bool is_octal(char x) {
  return x >= '0' && x <= '7';
}

result<std::uint64_t> mount_id(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0)
    return fail_os(errno, "statx", "of a mount");
  return info.stx_mnt_id;
}

} // namespace

std::string unescape_mountinfo(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text.substr(i + 1, 3);
    if (text[i] != '\\' || code.size() != 3
        || !std::ranges::all_of(code, is_octal)) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((code[0] - '0') * 64 + (code[1] - '0') * 8
                             + (code[2] - '0'));
    i += 3;
  }
  return out;
}

std::vector<mounted> parse_mountinfo(std::string_view text) {
  std::vector<mounted> out;
  auto lines = std::istringstream{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    auto words = std::istringstream{line};
    auto row = mounted{};
    std::string device;
    std::string root;
    if (words >> row.id >> row.parent >> device >> root >> row.point) {
      row.point = unescape_mountinfo(row.point);
      out.push_back(std::move(row));
    }
  }
  return out;
}

outcome detach_children(int root, int keep) {
  TROUPE_TRY(const auto parent, mount_id(root));
  TROUPE_TRY(const auto kept, mount_id(keep));
  TROUPE_TRY(const auto text,
             read_file(AT_FDCWD, "/proc/self/mountinfo", 64U << 20U));
  if (::fchdir(root) != 0)
    return fail_os(errno, "fchdir", "to the host's root");
  for (const auto& each : parse_mountinfo(text)) {
    if (each.parent != parent || each.id == kept || each.point == "/")
      continue;
    // Whatever is stacked there goes one after the other.
    const auto path = "." + each.point;
    while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    if (errno != EINVAL)
      return fail_os(errno, "umount", each.point);
  }
  return {};
}

} // namespace troupe::sys
