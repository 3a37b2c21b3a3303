#pragma once

#include "bench/harness/process.hpp"

#include <vector>

namespace troupe::bench {

/// A troupe-floor that waits for orders: its own start is not part of what it
/// measures.
class floor_process {
public:
  struct times {
    double start_ms = 0; ///< Until the program ran.
    double full_ms = 0;  ///< Until all was taken away again.
  };

  [[nodiscard]] static result<floor_process> start(const std::string& program,
                                                   const std::string& plan);

  /// `count` starts, in a row, or at once by so many `starters`.
  [[nodiscard]] result<std::vector<times>> order(int count, int starters = 0);

private:
  child process_;
  sys::unique_fd orders_;
  sys::unique_fd answers_;
};

} // namespace troupe::bench
