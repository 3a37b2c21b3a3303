#pragma once

#include "runtime/shim/client.hpp"
#include "runtime/shim/log_sink.hpp"
#include "runtime/shim/loop.hpp"
#include "runtime/shim/protocol/messages.hpp"
#include "runtime/shim/recent_output.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::shim {

/// The shim's ends of one process's stdin, stdout and stderr, its log and its
/// attached clients.
///
/// Nothing is read from the process while a client that is to be waited for, or
/// the log, does not take more (the process then blocks, as on any pipe), and
/// nothing from a client while the process does not read its stdin. A process
/// with a terminal has its master in the place of the pipes: the launcher sends
/// it when it has made it. One with its caller's own descriptors (passthrough)
/// has nothing to read.
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
    std::function<void()> counted;      ///< Counters have changed.
    std::function<void()> clients_gone; ///< A client is finished.
  };

  stdio(const stdio&) = delete;
  stdio& operator=(const stdio&) = delete;

  /// `fds`: what came with `how` beside the plan and what is to be preserved.
  [[nodiscard]] static result<std::unique_ptr<stdio>>
  open(loop& in, const launch& how, std::vector<sys::unique_fd> fds,
       listener tell);

  /// One that takes over from another; `resume` comes next.
  [[nodiscard]] static std::unique_ptr<stdio> taken_over(loop& in, loader& from,
                                                         listener tell);

  template <class Way>
  void hand_over(Way& with);

  /// Goes on where the other was: `done` as in `drain_all`, if it drains.
  [[nodiscard]] outcome resume(std::function<void()> done);

  /// Lets clients come by a listening socket, too (process_files.hpp).
  [[nodiscard]] outcome accept_at(sys::unique_fd socket);

  [[nodiscard]] child_ends& for_child() noexcept {
    return child_;
  }

  /// Adds a client, and sends it up to `replay` bytes of earlier output.
  /// Refused if it wants a stdin that there is not.
  [[nodiscard]] outcome attach(sys::unique_fd socket,
                               const client_options& what,
                               std::size_t replay = 0);

  /// log_sink::reopen
  [[nodiscard]] outcome reopen_log();

  /// Takes the terminal that the launcher has sent, if it has.
  void take_terminal();

  /// `wrong_state` without a terminal.
  [[nodiscard]] outcome resize(std::uint16_t rows, std::uint16_t cols);

  /// The process is gone: takes what it had written, whatever room clients
  /// have. `done` is called once the log has all of it: now, or when it has
  /// taken what it holds back, or has not for too long.
  void drain_all(std::function<void()> done);

  /// Ends the log, and tells every client `status`.
  void finish(const std::string& status);

  /// What it has written last, for who comes after its end.
  [[nodiscard]] recent_output take_recent() noexcept {
    return std::move(recent_);
  }

  [[nodiscard]] bool has_clients() const noexcept;

  [[nodiscard]] const log_counters& counters() const noexcept {
    return log_ ? log_->counters() : last_counters_;
  }

  [[nodiscard]] attach_counters attached() const noexcept;

private:
  struct output {
    log::stream stream = log::stream::out;
    sys::unique_fd pipe;
    watch ready;
    int left = 0; ///< To be drained, once its process is gone.
    template <class Way>
    void hand_over(Way& with) {
      with(stream, pipe, left);
    }
  };

  stdio(loop& in, listener tell) noexcept;
  outcome open_outputs();
  outcome open_input();
  outcome open_console();
  outcome use_terminal(sys::unique_fd master);
  outcome watch_output(output& from);
  outcome watch_input();
  void read_output(output& from);
  template <class Way>
  void hand_over_log(Way& with);
  template <class Way>
  void hand_over_clients(Way& with);
  outcome watch_console();
  outcome watch_listener();
  void hurry_drain();
  void begin_drain(output& from);
  bool drain(output& from);
  void go_on_draining();
  [[nodiscard]] bool blocked() const noexcept;
  void deliver(log::stream from, std::string_view bytes);
  void regulate();
  void retry_log();
  void wait_for_log();
  void accept();
  void accept_later(int why);
  void add(std::unique_ptr<client> fresh);

  void input(std::string_view bytes) override;
  void end_of_input() override;
  [[nodiscard]] bool takes_input() const override;
  void room() override;
  void dropped(std::size_t bytes) override;
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
  log_driver driver_ = log_driver::none;
  std::unique_ptr<log_sink> log_; ///< Null: none.
  watch log_ready_;
  bool log_waits_ = false;        ///< `retry_log` is due.
  bool draining_ = false;         ///< Its process is gone.
  std::function<void()> drained_; ///< Waits for the log.
  log_counters last_counters_;    ///< Of a log that is no more.
  recent_output recent_;
  sys::unique_fd listener_;
  watch accepting_;
  std::vector<std::unique_ptr<client>> clients_;
  std::int64_t clients_dropped_ = 0;
  /// Work queued in the loop must not outlive this object.
  std::shared_ptr<stdio*> self_ = std::make_shared<stdio*>(this);
};

} // namespace troupe::shim
