#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/log/cri.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::log {

struct read_options {
  time_ns since = 0;                 ///< Records at or after this.
  std::optional<std::uint64_t> tail; ///< The last N lines only.
};

/// Reads a container's log: the rotated files (path.N … path.1) from the
/// oldest, then the live one, and goes on with the new live file after a
/// rotation. Never blocks; call `next` again when the file has grown.
class reader {
public:
  /// A log that does not exist yet is empty, not a failure.
  [[nodiscard]] static result<reader> open(std::string path,
                                           const read_options& options);

  /// The next whole records as raw CRI lines, newlines included, about
  /// `limit` bytes at most; empty at the end for now. With a bounded `limit`
  /// the caller sets the pace.
  [[nodiscard]] result<std::string> next(std::size_t limit = 64U << 10U);

private:
  reader() = default;

  result<bool> open_next_file();

  std::string path_;
  read_options options_;
  std::vector<std::string> pending_files_; ///< Oldest last.
  sys::unique_fd file_;
  std::uint64_t inode_ = 0;
  std::string partial_line_;
  std::uint64_t lines_to_skip_ = 0;
};

} // namespace troupe::log
