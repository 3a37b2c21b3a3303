#pragma once

#include "runtime/linux/pidfd.hpp"
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

  /// Forks the launcher with the plan in `memfd`; `target` is the pidfd of the
  /// container that an exec session enters. `who` gets the answer later.
  [[nodiscard]] outcome launch(const shim::launch& request, int memfd,
                               int target, const asker& who);

  /// Lets init go on; `who` gets the answer later.
  [[nodiscard]] outcome start(const asker& who);

  [[nodiscard]] outcome signal(int signo);

  [[nodiscard]] outcome attach(sys::unique_fd socket,
                               const client_options& what);

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
  outcome open_stdio(const shim::launch& request);
  result<child> fork_launcher(bool exec, int memfd, int target, int start_line);
  outcome watch_launcher();
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
  void end_process();
  void finish_stdio();
  void answer(std::optional<asker>& who, shim::answer what);
  void publish();

  surroundings in_;
  table& table_;
  record record_;
  std::unique_ptr<stdio> stdio_; ///< Until it is over.
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
