#pragma once

#include "runtime/launch/launch.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

/// Forks the launcher and hears it out.
namespace troupe::oci_runtime {

/// The container's (or session's) first process.
struct process {
  pid_t pid = 0;
  sys::unique_fd pidfd;
};

/// What is to be done while a launcher works.
struct hearing {
  /// The process exists; a failure ends the launch.
  std::function<outcome(pid_t)> spawned = [](pid_t) { return outcome{}; };
  /// A hook failed whose failure is only logged.
  std::function<void(const launch::report&)> warned =
    [](const launch::report&) {};
};

/// How it ended.
struct heard {
  oci_runtime::process process;
  std::optional<launch::report> failed; ///< Unset: all went well.
};

/// Runs `body`, the whole life of a launcher with its end of the report line,
/// in a fork, and waits for its end.
[[nodiscard]] heard run_launcher(const std::function<int(int)>& body,
                                 const hearing& by);

/// Sends the start packet to a process that waits for it, and waits until it
/// has become its program: nothing, or the failure that it reports. Hooks may
/// take as long as they want; who has none gives `patience`.
[[nodiscard]] std::optional<launch::report>
send_start(int line,
           std::chrono::milliseconds patience = std::chrono::milliseconds{-1});

} // namespace troupe::oci_runtime
