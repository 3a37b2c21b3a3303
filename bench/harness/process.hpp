#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>
#include <vector>

/// Other programs, by posix_spawn(3), which does not copy our memory.
namespace troupe::bench {

struct command {
  std::vector<std::string> argv;
  std::vector<std::string> env{}; ///< Added to ours.
  int stdin_fd = -1;              ///< -1: /dev/null, as for the others.
  int stdout_fd = -1;
  int stderr_fd = -1;
};

/// A program of ours. In a process group of its own: a Ctrl-C is for us, who
/// clean up. Killed and reaped if it still runs when this goes.
class child {
public:
  child() = default;
  child(pid_t pid, sys::unique_fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {
  }
  child(child&&) = default;
  child& operator=(child&& other) noexcept;
  ~child();

  [[nodiscard]] pid_t pid() const {
    return pid_;
  }
  [[nodiscard]] int pidfd() const {
    return pidfd_.get();
  }
  [[nodiscard]] bool running() const {
    return static_cast<bool>(pidfd_);
  }
  /// Waits for its end; its exit code as a shell has it.
  [[nodiscard]] result<int> wait();
  /// Signals it, waits, kills it after `patience_ms`.
  void end(int signo, int patience_ms);

private:
  pid_t pid_ = 0;
  sys::unique_fd pidfd_;
};

[[nodiscard]] result<child> spawn(const command& what);

/// Programs whose success is expected, one after the other. What they write to
/// stderr is kept for the case that one fails.
class runner {
public:
  runner();

  /// Spawns and waits: ms in between. A failure says what the program said.
  [[nodiscard]] result<double> time(command what);
  /// All at once; ms from the common beginning to the end of each.
  [[nodiscard]] result<std::vector<double>> time_all(std::vector<command> all);
  /// Its stdout.
  [[nodiscard]] result<std::string> output_of(command what);

private:
  [[nodiscard]] failure failed(const command& what, int code) const;

  sys::unique_fd stderr_;
};

/// Waits for the end of any process; false at the deadline.
[[nodiscard]] bool wait_for_end(pid_t pid, int patience_ms);

} // namespace troupe::bench
