#pragma once

#include "runtime/linux/pidfd.hpp"
#include "runtime/shim/process_files.hpp"
#include "runtime/shim/stdio.hpp"
#include "runtime/shim/table.hpp"

#include <memory>
#include <optional>

namespace troupe::shim {

/// One container's init or one exec session's process, from the fork of its
/// launcher to the record of its end.
///
///   launching ──created──▶ created ──start, exec──▶ running ──reaped──▶ exited
///       │                     └───────reaped (start failed, killed)──────▲
///       └──failed, launcher and init gone──▶ failed
///
/// Only the kernel's word moves it: reports, the end of the start line, pidfds.
class process final : public parent {
public:
  process(const surroundings& in, table& tell, process_key key, bool is_exec);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() override;

  /// One that takes over from another; `resume` comes next.
  process(const surroundings& in, table& tell, loader& from);

  template <class Way>
  void hand_over(Way& with);

  /// Goes on where the other was.
  [[nodiscard]] outcome resume();

  /// What came with a launch.
  struct luggage {
    int plan = -1;
    int target = -1; ///< Pidfd of the container that a session enters.
    std::vector<sys::unique_fd> stdio;
    std::vector<sys::unique_fd> preserved;
  };

  /// Forks the launcher; `who` gets the answer later.
  [[nodiscard]] outcome launch(const shim::launch& request, luggage with,
                               const asker& who);

  /// Lets init go on; `who` gets the answer later.
  [[nodiscard]] outcome start(const asker& who);

  [[nodiscard]] outcome signal(int signo);

  [[nodiscard]] outcome attach(sys::unique_fd socket,
                               const client_options& what, std::size_t replay);

  [[nodiscard]] outcome reopen_log();

  /// Takes the counters into the record.
  void publish();

  [[nodiscard]] outcome resize(std::uint16_t rows, std::uint16_t cols);

  /// Reads what the launcher has said, for the sweep of orphans.
  void read_report_line();

  [[nodiscard]] const record& state() const noexcept {
    return record_;
  }

  [[nodiscard]] bool over() const noexcept {
    return record_.state == process_state::exited
           || record_.state == process_state::failed;
  }

  /// Of the init while it lives, else -1.
  [[nodiscard]] int pidfd() const noexcept {
    return init_.get();
  }

private:
  outcome open_stdio(const shim::launch& request,
                     std::vector<sys::unique_fd> fds);
  result<child> fork_launcher(const shim::launch& request, const luggage& with,
                              int start_line);
  [[nodiscard]] stdio::listener listener_for_stdio();
  outcome watch_launcher();
  outcome watch_start_line();
  void on_report(const line_event& what);
  void on_spawned(const line_event& what);
  void on_created();
  void read_start_line();
  void on_started();
  void look() override;
  void look_at_launcher();
  void look_at_init();
  void watch_init();
  void kill_init();
  void end_launch();
  void finish_launch();
  void end_process();
  void finish_process();
  void finish_stdio();
  void answer(std::optional<asker>& who, shim::answer what);
  void warn_unless(const outcome& done);

  surroundings in_;
  table& table_;
  record record_;
  process_files files_;
  std::unique_ptr<stdio> stdio_; ///< Until it is over.
  recent_output recent_;         ///< From then on.
  child launcher_;
  watch report_ready_;
  watch launcher_exited_;
  sys::unique_fd init_;
  watch init_exited_;
  sys::unique_fd start_line_;
  watch start_ready_;
  std::optional<asker> launching_; ///< Waits for the launch's answer.
  std::optional<asker> starting_;  ///< Waits for the start's answer.
  bool start_sent_ = false;
  std::optional<launcher::report> failed_; ///< The step that did.
  std::optional<sys::exit_status> exit_;
};

} // namespace troupe::shim
