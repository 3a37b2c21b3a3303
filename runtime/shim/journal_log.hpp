#pragma once

#include "runtime/shim/line_splitter.hpp"
#include "runtime/shim/log_sink.hpp"

#include <deque>
#include <memory>
#include <string>

namespace troupe::shim {

/// Writes one process's output to systemd's journal, a record per line, by its
/// native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL; libsystemd cannot be
/// linked into a static program). The fields are those of podman and docker:
/// MESSAGE, PRIORITY (6: stdout, 3: stderr), CONTAINER_NAME, CONTAINER_ID,
/// CONTAINER_ID_FULL, CONTAINER_PARTIAL_MESSAGE=true for a piece of a line, and
/// SYSLOG_IDENTIFIER.
class journal_log final : public hands_over<journal_log, log_sink> {
public:
  /// The socket, options.path, has to be there now; later it may come and go.
  [[nodiscard]] static result<std::unique_ptr<log_sink>>
  open(log_options options, const process_key& of);

  /// To be taken over.
  journal_log() = default;

  template <class Way>
  void members(Way& with) {
    hand_over_counters(with);
    with(options_, constant_, socket_, lines_, waiting_);
  }

  void retry() override;
  void give_up() override;
  /// Each line is a system call.
  [[nodiscard]] std::size_t bite() const noexcept override {
    return 4096;
  }
  void finish(time_ns now) override;
  [[nodiscard]] bool blocked() const noexcept override {
    return !waiting_.empty();
  }
  [[nodiscard]] int waits_for() const noexcept override {
    return socket_.get();
  }

private:
  struct record {
    std::string text;
    std::size_t payload = 0; ///< Bytes of output in it.
    template <class Way>
    void hand_over(Way& with) {
      with(text, payload);
    }
  };

  journal_log(log_options options, const process_key& of);
  void take(log::stream from, std::string_view bytes, time_ns now) override;
  outcome connect();
  void emit(log::stream from, std::string_view begin, std::string_view end,
            bool partial);
  void put(record what);
  int send(const record& what);
  int send_as_file(const std::string& text);
  void settle(const record& what, int why);

  log_options options_;
  std::string constant_; ///< The fields that all records have.
  sys::unique_fd socket_;
  line_splitter lines_;
  std::deque<record> waiting_; ///< By the policy `block`.
};

} // namespace troupe::shim
