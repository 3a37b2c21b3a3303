#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/log/cri.hpp"
#include "runtime/shim/handover.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::shim {

/// Where one process's output goes, beside its clients. It never blocks: what
/// cannot be written is dropped and counted or, by the policy `block`, held
/// back: then nothing more shall be read from the process.
class log_sink {
public:
  /// `files`: those of a capture. Null: nothing is kept of the output.
  [[nodiscard]] static result<std::unique_ptr<log_sink>>
  open(const log_options& how, const process_key& of,
       std::vector<sys::unique_fd> files);

  /// One that is to take over from another of the same kind, or null.
  [[nodiscard]] static std::unique_ptr<log_sink> empty(log_driver which);

  virtual void hand_over(saver& with) = 0;
  virtual void hand_over(loader& with) = 0;

  log_sink() = default;
  log_sink(const log_sink&) = delete;
  log_sink& operator=(const log_sink&) = delete;
  virtual ~log_sink() = default;

  /// Logs what was read from one stream in one go. The end of an unfinished
  /// line is kept until more comes.
  void write(log::stream from, std::string_view bytes, time_ns now) {
    counters_.bytes_in += static_cast<std::int64_t>(bytes.size());
    take(from, bytes, now);
  }

  /// How much is to be read at once, so that nobody else waits for long.
  [[nodiscard]] virtual std::size_t bite() const noexcept {
    return SIZE_MAX;
  }

  /// Tries again to write what is held back.
  virtual void retry() {
  }

  /// From now on, what cannot be written is dropped.
  virtual void give_up() {
  }

  /// Logs the unfinished ends of both streams, and gives up.
  virtual void finish(time_ns now) = 0;

  /// Opens its file by its path again.
  [[nodiscard]] virtual outcome reopen() {
    return fail(fault::unsupported, "reopen: this log is not a file");
  }

  [[nodiscard]] virtual bool blocked() const noexcept {
    return false;
  }

  /// Becomes writable when it is worth to `retry`; -1: nobody tells.
  [[nodiscard]] virtual int waits_for() const noexcept {
    return -1;
  }

  /// Bytes of the process's output; the dressing of records does not count.
  [[nodiscard]] const log_counters& counters() const noexcept {
    return counters_;
  }

protected:
  template <class Way>
  void hand_over_counters(Way& with) {
    with(counters_);
  }

  virtual void take(log::stream from, std::string_view bytes, time_ns now) = 0;

  void count_logged(std::size_t bytes) noexcept {
    counters_.bytes_logged += static_cast<std::int64_t>(bytes);
  }

  void count_dropped(int why, std::size_t bytes);

  void count_trouble(int why) noexcept {
    counters_.last_errno = why;
  }

private:
  log_counters counters_;
};

} // namespace troupe::shim
