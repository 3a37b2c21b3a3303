#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "runtime/store/store.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

/// Inits that had ended when their container's actor did: if the shim is dead,
/// nobody but the kernel can tell how. Used from any thread.
class untold_ends {
public:
  /// `life`: a pidfd of the init of container `id`.
  void add(std::string id, sys::unique_fd life);

  /// Writes down what the kernel tells, in the containers' `exit` files. Waits
  /// at most `patience`, for all together, until somebody has reaped them.
  void write_down(const store::directory& to,
                  std::chrono::milliseconds patience);

private:
  struct end {
    std::string id;
    sys::unique_fd life;
  };
  std::mutex guard_;
  std::vector<end> ends_;
};

} // namespace troupe
