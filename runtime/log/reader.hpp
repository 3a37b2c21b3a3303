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

/// How the file was written.
enum class file_format : std::uint8_t { cri, json };

struct read_options {
  time_ns since = 0;                   ///< Records at or after this.
  std::optional<std::uint64_t> tail{}; ///< The last N of `only` alone.
  time_ns until = 0;                   ///< Records at or before this; 0: all.
  std::optional<log::stream> only{};
  file_format format = file_format::cri;
};

/// Reads a container's log: the rotated files (path.N … path.1) from the
/// oldest, then the live one, and goes on with the new live file after a
/// rotation. Never blocks; call `next` again when the file has grown.
class reader {
public:
  /// A log that does not exist yet is empty, not a failure.
  [[nodiscard]] static result<reader> open(std::string path,
                                           const read_options& options);

  /// The next whole records as CRI lines, newlines included, about `limit`
  /// bytes at most; empty at the end for now. With a bounded `limit` the caller
  /// sets the pace.
  [[nodiscard]] result<std::string> next(std::size_t limit = 64U << 10U);

  /// A record after `until` has been met: nothing more will come.
  [[nodiscard]] bool finished() const noexcept {
    return finished_;
  }

private:
  reader() = default;

  [[nodiscard]] std::string path_of(unsigned generation) const;
  [[nodiscard]] std::optional<unsigned> generation_of_current() const;
  [[nodiscard]] unsigned oldest_generation() const;
  outcome seek_tail(std::uint64_t lines);
  result<bool> open_file(unsigned generation);
  result<bool> open_next_file();
  result<bool> fill(std::size_t limit);
  void take_lines(std::string& out);
  void take_line(std::string& out, std::string_view line);
  [[nodiscard]] result<std::uint64_t> count(unsigned generation) const;
  [[nodiscard]] bool as_it_is() const noexcept;

  std::string path_;
  read_options options_;
  std::string text_; ///< Of the record that is being looked at.
  bool finished_ = false;
  sys::unique_fd file_;
  /// Of `file_`. Not reused by another file while we hold it open, so it tells
  /// which generation `file_` has become.
  std::uint64_t inode_ = 0;
  bool rotated_ = false; ///< `file_` is complete: its end is final.
  std::string unread_;   ///< Read, but not handed out; may end mid-record.
  std::uint64_t lines_to_skip_ = 0;
};

} // namespace troupe::log
