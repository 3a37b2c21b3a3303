#pragma once

#include "config/base/result.hpp"
#include "programs/troupe/detach_keys.hpp"
#include "programs/troupe/own_terminal.hpp"

#include <functional>

namespace troupe::client {

struct stream_options {
  bool forward_stdin = false;
  /// Called with a signal that the client received and the process shall get.
  std::function<void(int)> forward_signal;
  /// The process's stdio is a terminal: ours is raw meanwhile, its keys are
  /// carried, and a signal to the client ends the client.
  bool terminal = false;
  /// Ours has another size.
  std::function<void(const window&)> resize;
  detach_keys keys;
};

struct stream_end {
  int exit_code = 0;
  /// The client has left, and the process goes on.
  bool detached = false;
};

/// Carries an attach stream (runtime/shim/protocol/frames.hpp) between `socket`
/// and this program's stdio until its status frame; returns the exit code in
/// it. While it runs, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are
/// forwarded instead of taken.
[[nodiscard]] result<stream_end> carry_stream(int socket,
                                              stream_options options);

/// Blocks the forwarded signals. To be called before the process can be
/// reached by them, so that none falls between attach and carry_stream.
void hold_signals();

} // namespace troupe::client
