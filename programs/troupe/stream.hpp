#pragma once

#include "config/base/result.hpp"

#include <functional>

namespace troupe::client {

struct stream_options {
  bool forward_stdin = false;
  /// Called with a signal that the client received and the process shall get.
  std::function<void(int)> forward_signal;
};

/// Carries an attach stream (runtime/shim/protocol/frames.hpp) between `socket`
/// and this program's stdio until its status frame; returns the exit code in
/// it. While it runs, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are
/// forwarded instead of taken.
[[nodiscard]] result<int> carry_stream(int socket,
                                       const stream_options& options);

/// Blocks the forwarded signals. To be called before the process can be
/// reached by them, so that none falls between attach and carry_stream.
void hold_signals();

} // namespace troupe::client
