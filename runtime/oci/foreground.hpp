#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "runtime/oci/launcher.hpp"

namespace troupe::oci_runtime {

/// What `run` and `exec` are while their process runs: they hand its signals
/// on, carry its terminal, and reap it.
class foreground {
public:
  /// Before the launch, so that no signal is lost: they are held back from now
  /// on.
  [[nodiscard]] static result<foreground> prepare();

  /// The launcher's end of the line on which a terminal's master comes.
  [[nodiscard]] int console() const noexcept {
    return console_.second.get();
  }

  /// Until `x` has ended; its exit code, 128 + N after signal N. `terminal`:
  /// its master is waiting on the console line.
  [[nodiscard]] result<int> carry(const process& x, bool terminal);

private:
  sys::unique_fd signals_;
  std::pair<sys::unique_fd, sys::unique_fd> console_;
};

} // namespace troupe::oci_runtime
