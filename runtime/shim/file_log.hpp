#pragma once

#include "runtime/shim/line_splitter.hpp"
#include "runtime/shim/log_sink.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::shim {

/// Writes one process's output as a CRI log (runtime/log/cri.hpp) or as JSON
/// lines (runtime/log/json_lines.hpp), rotated by size. The file always ends
/// with a whole record; after a failure the next output, or `retry`, is another
/// attempt.
class file_log final : public hands_over<file_log, log_sink> {
public:
  /// The file is created, mode 0640, or continued.
  [[nodiscard]] static result<std::unique_ptr<log_sink>>
  open(log_options options);

  /// To be taken over.
  file_log() = default;

  template <class Way>
  void members(Way& with) {
    hand_over_counters(with);
    with(options_, file_, size_, rotate_at_, lines_, batch_, blocked_);
  }

  void retry() override;
  void give_up() override;
  void finish(time_ns now) override;
  [[nodiscard]] outcome reopen() override;
  [[nodiscard]] bool blocked() const noexcept override {
    return blocked_;
  }

private:
  /// Records on their way to the file in one write(2).
  struct batch {
    struct mark {
      std::size_t end = 0;     ///< Of the record, in `text`.
      std::size_t payload = 0; ///< Bytes of output in it.
    };
    std::string text;
    std::vector<mark> marks;
    template <class Way>
    void hand_over(Way& with) {
      with(text, marks);
    }
  };

  explicit file_log(log_options options) : options_(std::move(options)) {
  }
  void take(log::stream from, std::string_view bytes, time_ns now) override;
  outcome open_file();
  void emit(log::stream from, std::string_view begin, std::string_view end,
            bool partial);
  void flush();
  void settle(std::size_t written, int why);
  void hold_back(std::size_t whole);
  [[nodiscard]] bool must_rotate(std::size_t more) const noexcept;
  void rotate();

  log_options options_;
  sys::unique_fd file_;
  std::int64_t size_ = 0;
  std::int64_t rotate_at_ = 0; ///< 0: never.
  line_splitter lines_;
  std::string timestamp_; ///< Of what is being taken.
  batch batch_;
  bool blocked_ = false;
};

} // namespace troupe::shim
