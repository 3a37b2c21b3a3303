#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstddef>
#include <fcntl.h>
#include <string>
#include <string_view>

/// Small files of procfs, sysfs and cgroupfs, whole: fd first, path second;
/// AT_FDCWD or an absolute path where there is no directory. Every descriptor
/// is O_CLOEXEC.
namespace troupe::sys {

/// What `read_file` reads at most unless told otherwise.
inline constexpr std::size_t max_small_file = 1U << 20;

/// openat(2) with O_CLOEXEC added.
[[nodiscard]] result<unique_fd> open_file(int dirfd, const std::string& path,
                                          int flags);

/// The whole content, to its end. More than `limit` bytes is EFBIG.
[[nodiscard]] result<std::string> read_file(int dirfd, const std::string& path,
                                            std::size_t limit = max_small_file);

/// Puts a file with `content`, mode 0600, in the place of whatever was at
/// `path`, by way of `path`.new: whoever reads it sees the old content or the
/// new, never a part; after a kill -9 too. There is no fsync: what the power
/// takes is lost.
[[nodiscard]] outcome replace_file(int dirfd, const std::string& path,
                                   std::string_view content);

/// How far a write has come.
struct written {
  std::size_t bytes = 0;
  int os_errno = 0; ///< Why no further; 0: all is written.
};

/// Writes on until everything is written, or a write fails.
[[nodiscard]] written write_all(int fd, std::string_view content) noexcept;

/// Writes `content` with one write(2), as kernel control files need; the file
/// must exist and is not truncated. A short write is EIO.
[[nodiscard]] outcome write_file(int dirfd, const std::string& path,
                                 std::string_view content);

/// The same without allocating, for a child between clone and exec: 0, or the
/// errno.
[[nodiscard]] int write_file_raw(int dirfd, const char* path,
                                 std::string_view content) noexcept;

} // namespace troupe::sys
