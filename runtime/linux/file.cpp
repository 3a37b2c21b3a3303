#include "runtime/linux/file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// One write(2), again after a signal: 0, or the errno.
int write_once(int fd, std::string_view content) noexcept {
  const auto put = TEMP_FAILURE_RETRY(
    ::write(fd, content.data(), content.size()));
  if (put < 0)
    return errno;
  return static_cast<std::size_t>(put) == content.size() ? 0 : EIO;
}

} // namespace

written write_all(int fd, std::string_view content) noexcept {
  written out;
  while (out.bytes < content.size()) {
    const auto left = content.substr(out.bytes);
    const auto put = TEMP_FAILURE_RETRY(::write(fd, left.data(), left.size()));
    if (put <= 0) {
      out.os_errno = put < 0 ? errno : EIO;
      return out;
    }
    out.bytes += static_cast<std::size_t>(put);
  }
  return out;
}

result<unique_fd> open_file(int dirfd, const std::string& path, int flags) {
  const auto fd = TEMP_FAILURE_RETRY(
    ::openat(dirfd, path.c_str(), flags | O_CLOEXEC));
  if (fd < 0)
    return fail_os(errno, "open", path);
  return unique_fd{static_cast<int>(fd)};
}

result<std::string> read_file(int dirfd, const std::string& path,
                              std::size_t limit) {
  TROUPE_TRY(const auto file, open_file(dirfd, path, O_RDONLY));
  auto content = std::string{};
  std::array<char, 16384> chunk; // most files of ours fit
  for (;;) {
    const auto got = TEMP_FAILURE_RETRY(
      ::read(file.get(), chunk.data(), chunk.size()));
    if (got < 0)
      return fail_os(errno, "read", path);
    if (got == 0)
      return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit)
      return fail_os(EFBIG, "read", path);
  }
}

outcome replace_file(int dirfd, const std::string& path,
                     std::string_view content) {
  constexpr mode_t owner_only = 0600;
  const auto fresh = path + ".new";
  {
    const auto file = unique_fd{static_cast<int>(TEMP_FAILURE_RETRY(::openat(
      dirfd, fresh.c_str(),
      O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, owner_only)))};
    if (!file)
      return fail_os(errno, "create", fresh);
    if (const auto did = write_all(file.get(), content); did.os_errno != 0)
      return fail_os(did.os_errno, "write", fresh);
  }
  if (::renameat(dirfd, fresh.c_str(), dirfd, path.c_str()) != 0)
    return fail_os(errno, "rename", path);
  return {};
}

outcome write_file(int dirfd, const std::string& path,
                   std::string_view content) {
  TROUPE_TRY(const auto file, open_file(dirfd, path, O_WRONLY));
  if (const auto error = write_once(file.get(), content); error != 0)
    return fail_os(error, "write", path);
  return {};
}

int write_file_raw(int dirfd, const char* path,
                   std::string_view content) noexcept {
  const auto file = unique_fd{static_cast<int>(
    TEMP_FAILURE_RETRY(::openat(dirfd, path, O_WRONLY | O_CLOEXEC)))};
  return file ? write_once(file.get(), content) : errno;
}

} // namespace troupe::sys
