#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "tests/support/patience.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
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
  std::chrono::milliseconds deadline = patient(std::chrono::seconds{60});
};

/// Runs a program and waits for it. Never throws; a program that cannot be run
/// has exit code 127.
[[nodiscard]] command_result run(const std::vector<std::string>& argv,
                                 const command_options& options = {});

/// A program that runs beside the test. Its output is read all the while, so
/// that it never waits for the test. Killed and reaped when it goes.
class background {
public:
  explicit background(const std::vector<std::string>& argv,
                      const std::vector<std::string>& env = {});
  background(const background&) = delete;
  background& operator=(const background&) = delete;
  ~background();

  /// Waits until its output (both streams) contains `text`; false at the
  /// deadline or its end.
  [[nodiscard]] bool wait_for_output(const std::string& text,
                                     std::chrono::milliseconds deadline
                                     = patient(std::chrono::seconds{60}));

  void signal(int signo) const;

  /// Waits for its end and the end of its output; the exit code, -1 at the
  /// deadline.
  [[nodiscard]] int
  wait(std::chrono::milliseconds deadline = patient(std::chrono::seconds{60}));

  [[nodiscard]] std::string output() const;

private:
  void read_output();

  sys::unique_fd pidfd_;
  sys::unique_fd pipe_;
  int exit_code_ = -1;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::string output_;
  bool output_ended_ = false;
  std::thread reader_;
};

} // namespace troupe::test
