#pragma once

#include "runtime/shim/client.hpp"
#include "runtime/shim/log_writer.hpp"
#include "runtime/shim/loop.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::shim {

/// The shim's ends of one process's stdin, stdout and stderr, its log and its
/// attached clients.
///
/// Nothing is read from the process while a client's buffer is full (the
/// process then blocks, as on any pipe), and nothing from a client while the
/// process does not read its stdin. A process with a terminal has its master in
/// the place of the pipes: the launcher sends it when it has made it.
class stdio final : public client_owner {
public:
  /// What the process gets; closed here once it has been forked.
  struct child_ends {
    sys::unique_fd in; ///< Invalid: /dev/null.
    sys::unique_fd out;
    sys::unique_fd err;
    sys::unique_fd console; ///< Where the master of its terminal goes.
  };

  struct listener {
    std::function<void()> log_failed;   ///< `counters` tell of a loss.
    std::function<void()> clients_gone; ///< The last client is finished.
  };

  stdio(const stdio&) = delete;
  stdio& operator=(const stdio&) = delete;

  [[nodiscard]] static result<std::unique_ptr<stdio>>
  open(loop& in, const launch& how, listener tell);

  [[nodiscard]] child_ends& for_child() noexcept {
    return child_;
  }

  /// Adds a client. Refused if it wants a stdin that there is not.
  [[nodiscard]] outcome attach(sys::unique_fd socket,
                               const client_options& what);

  /// Takes the terminal that the launcher has sent, if it has.
  void take_terminal();

  /// `wrong_state` without a terminal.
  [[nodiscard]] outcome resize(std::uint16_t rows, std::uint16_t cols);

  /// The process is gone: takes what it had written, whatever room clients
  /// have, ends the log, and tells every client `status`.
  void finish(const std::string& status);

  [[nodiscard]] bool has_clients() const noexcept;

  [[nodiscard]] const log_counters& counters() const noexcept {
    return counters_;
  }

private:
  struct output {
    log::stream stream = log::stream::out;
    sys::unique_fd pipe;
    watch ready;
  };

  stdio(loop& in, listener tell) noexcept;
  outcome open_outputs();
  outcome open_input();
  outcome open_console();
  outcome use_terminal(sys::unique_fd master);
  outcome watch_output(output& from);
  outcome watch_input();
  void read_output(output& from);
  void drain(output& from);
  void deliver(log::stream from, std::string_view bytes);
  void regulate();

  void input(std::string_view bytes) override;
  void end_of_input() override;
  [[nodiscard]] bool takes_input() const override;
  void room() override;
  void gone(client& who) override;
  void write_input();
  void close_input();
  void resume_clients();

  loop& loop_;
  listener tell_;
  child_ends child_;
  sys::unique_fd console_; ///< Until the terminal has come over it.
  watch console_ready_;
  bool has_terminal_ = false;
  std::array<output, 2> outputs_;
  sys::unique_fd stdin_;
  watch stdin_ready_;
  std::string stdin_kept_;
  bool stdin_ending_ = false;
  std::optional<log_writer> log_;
  log_counters counters_;
  std::vector<std::unique_ptr<client>> clients_;
};

} // namespace troupe::shim
