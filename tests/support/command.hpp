#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace troupe::test {

/// What a program that was run to its end has left.
struct command_result {
  int exit_code = -1; ///< 128 + signal if one ended it.
  std::string out;
  std::string err;
  bool timed_out = false; ///< It was killed at its deadline.
};

struct command_options {
  std::string input = {};            ///< For its stdin, which is then closed.
  std::vector<std::string> env = {}; ///< Added to ours.
  std::chrono::milliseconds deadline = std::chrono::seconds{60};
};

/// Runs a program and waits for it. Never throws; a program that cannot be run
/// has exit code 127.
[[nodiscard]] command_result run(const std::vector<std::string>& argv,
                                 const command_options& options = {});

/// A program that runs beside the test. Killed and reaped when it goes.
class background {
public:
  /// Its stdout and stderr are gathered.
  explicit background(const std::vector<std::string>& argv,
                      const std::vector<std::string>& env = {});
  background(const background&) = delete;
  background& operator=(const background&) = delete;
  ~background();

  /// Waits until its output (both streams) contains `text`; false at the
  /// deadline or its end.
  [[nodiscard]] bool wait_for_output(const std::string& text,
                                     std::chrono::milliseconds deadline
                                     = std::chrono::seconds{60});

  void signal(int signo);

  /// Waits for its end; the exit code, -1 at the deadline.
  [[nodiscard]] int
  wait(std::chrono::milliseconds deadline = std::chrono::seconds{60});

  [[nodiscard]] std::string output() const {
    return output_;
  }

  [[nodiscard]] int pid() const noexcept {
    return pid_;
  }

private:
  bool read_some(std::chrono::milliseconds patience);

  int pid_ = -1;
  int pidfd_ = -1;
  int pipe_ = -1;
  int exit_code_ = -1;
  std::string output_;
};

} // namespace troupe::test
