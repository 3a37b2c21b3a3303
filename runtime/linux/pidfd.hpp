#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <chrono>
#include <optional>
#include <sys/types.h>

/// Processes by pidfd: a signal reaches this process or nobody. pidfd_open(2),
/// pidfd_send_signal(2), waitid(2) with P_PIDFD.
namespace troupe::sys {

/// How a process ended.
struct exit_status {
  int code = 0;   ///< Exit code, if `signal` is 0.
  int signal = 0; ///< The killing signal, or 0.
  bool core_dumped = false;

  /// The shell's number: the code, or 128 + signal.
  [[nodiscard]] int shell_code() const noexcept {
    return signal ? 128 + signal : code;
  }
  friend bool operator==(const exit_status&, const exit_status&) = default;
};

[[nodiscard]] result<unique_fd> open_pidfd(pid_t pid);

/// A duplicate of descriptor `fd` of another process, pidfd_getfd(2), Linux
/// 5.6; needs the right to trace it. EBADF: it has none of that number.
[[nodiscard]] result<unique_fd> borrow_fd(int pidfd, int fd);

[[nodiscard]] outcome send_signal(int pidfd, int signo);

/// Reaps the child behind `pidfd`, of whatever exit signal (__WALL). Nothing if
/// it still runs. Never blocks.
[[nodiscard]] result<std::optional<exit_status>> reap(int pidfd);

/// The same, but waits for the end.
[[nodiscard]] result<exit_status> wait_for_exit(int pidfd);

/// Whether the process has ended, whoever may reap it.
[[nodiscard]] bool has_ended(int pidfd) noexcept;

/// How a process has ended that is somebody else's child, once that has reaped
/// it: PIDFD_GET_INFO, Linux 6.15. Waits at most `patience` for the reaping.
/// Nothing: the kernel does not tell.
[[nodiscard]] std::optional<exit_status>
end_of(int pidfd, std::chrono::milliseconds patience) noexcept;

} // namespace troupe::sys
