#pragma once

#include "programs/troupe/command.hpp"
#include "programs/troupe/stream.hpp"

namespace troupe::client {

/// A process whose stdio becomes ours.
struct attachment {
  std::string path; ///< Of the container, or of its exec session.
  bool start = false;
  bool with_stdin = false;
  bool terminal = false;
  detach_keys keys;
  std::string options{}; ///< Further parameters of the call: "&replay=4096".
};

/// `--overflow` and `--replay` of attach.
struct attach_options {
  std::string overflow = "block";
  std::string replay;

  void add_to(CLI::App& command);
  /// attachment::options
  [[nodiscard]] result<std::string> text() const;
};

/// Attaches, starts it if wanted, and carries its streams to its end or until
/// we leave.
[[nodiscard]] result<stream_end> carry(const context& with, api_client& api,
                                       attachment what);

/// Tells a process's terminal how large ours is, if we have one.
void send_window(api_client& api, const std::string& path);

/// `--detach-keys`
void add_detach_keys(CLI::App& to, std::string& keys);

/// A terminal whose keys are to be carried needs one of ours.
[[nodiscard]] outcome check_terminal(bool tty, bool interactive);

} // namespace troupe::client
