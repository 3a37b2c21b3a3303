#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

#include <atomic>

/// seccomp user notifications (config-linux.md, "Seccomp"; seccomp_unotify(2)):
/// the descriptor that a filter with SCMP_ACT_NOTIFY makes goes to whoever
/// listens at the profile's listenerPath, with "The Container Process State".
namespace troupe::launch {

/// Connects to the plan's listener, on the host; invalid if it has none.
[[nodiscard]] result<sys::unique_fd>
connect_listener(const plan::seccomp_filter& filter, progress& at);

/// The process of a container, or of an exec session in it, as the listener
/// learns of it: `pid` is its own on the host, `init` the container's.
[[nodiscard]] std::string process_state(const plan::launch_plan& plan,
                                        pid_t pid);
[[nodiscard]] std::string process_state(const plan::exec_plan& plan, pid_t pid,
                                        pid_t init);

/// Sends the descriptor from a thread that is not under the filter: with the
/// filter loaded, any system call of this one may be refused, or wait for an
/// answer from the very listener that has no descriptor yet. The thread starts
/// before the filter is loaded (no TSYNC), shares the descriptor table, and
/// gets the number through an atomic, without a system call.
class listener_sender {
public:
  /// If it cannot send, the thread says so on `report_line`, as the caller no
  /// longer can, and ends the process.
  listener_sender(int socket, std::string state, int report_line);

  /// Lets go of a thread that has nothing to send.
  ~listener_sender();

  listener_sender(const listener_sender&) = delete;
  listener_sender& operator=(const listener_sender&) = delete;

  [[nodiscard]] outcome start();

  /// Returns when the descriptor is sent and closed. Makes no system call.
  void send(int notifications) noexcept;

private:
  static void* run(void* self);
  void hand_over();

  int socket_;
  std::string state_;
  int report_line_;
  bool started_ = false;
  std::atomic<int> given_;
  std::atomic<bool> done_ = false;
};

} // namespace troupe::launch
