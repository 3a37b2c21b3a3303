#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "runtime/log/cri.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::shim {

/// Writes one process's output as a CRI log (runtime/log/cri.hpp), rotated by
/// size. What cannot be written is dropped and counted, and the file always
/// ends with a whole record; the next output is tried again.
class log_writer {
public:
  /// The file is created, mode 0640, or continued.
  [[nodiscard]] static result<log_writer> open(log_options options);

  /// Logs what was read from one stream in one go. The end of an unfinished
  /// line is kept until more comes.
  void write(log::stream from, std::string_view bytes, time_ns now);

  /// Logs the unfinished ends of both streams.
  void finish(time_ns now);

  /// Bytes of the process's output; the dressing of records does not count.
  /// Bytes in = logged + dropped + kept for the next write.
  [[nodiscard]] const log_counters& counters() const noexcept {
    return counters_;
  }

private:
  /// Records on their way to the file in one write(2).
  struct batch {
    struct mark {
      std::size_t end = 0;     ///< Of the record, in `text`.
      std::size_t payload = 0; ///< Bytes of output in it.
    };
    std::string timestamp;
    std::string text;
    std::vector<mark> marks;
  };

  log_writer() = default;
  outcome open_file();
  void feed(batch& to, log::stream from, std::string_view bytes);
  void emit(batch& to, log::stream from, std::string_view text, bool partial);
  void flush(batch& from);
  void settle(const batch& from, std::size_t written, int why);
  [[nodiscard]] bool must_rotate(std::size_t more) const noexcept;
  void rotate();
  [[nodiscard]] std::string& kept(log::stream from) noexcept;

  log_options options_;
  sys::unique_fd file_;
  std::int64_t size_ = 0;
  std::int64_t rotate_at_ = 0; ///< 0: never.
  std::array<std::string, 2> kept_;
  log_counters counters_;
};

} // namespace troupe::shim
