#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// What a caller can do about a failure. A new enumerator is added only when
/// some code branches on it; everything else belongs in `failure::what`.
enum class fault : std::uint8_t {
  none = 0,       ///< Reserved: CAF reads code 0 as "no error".
  invalid_config, ///< The document or request is wrong; retrying cannot help.
  unsupported,    ///< This kernel or build lacks the facility.
  not_found,      ///< The named container, process or file is absent.
  already_exists, ///< The id is taken.
  wrong_state,    ///< The container's state forbids the operation.
  paused,         ///< libcontainer's ContainerPaused.
  destroyed,      ///< libcontainer's ContainerDestroyed.
  denied,         ///< The kernel refused: EPERM, EACCES, EROFS.
  exhausted,      ///< Out of a bounded resource: EAGAIN, EMFILE, ENOSPC...
  timed_out,      ///< A deadline passed; the outcome may be unknown.
  unavailable,    ///< The shim or supervisor does not answer.
  command_not_found,      ///< args[0] does not exist: exit code 127.
  command_not_executable, ///< args[0] cannot be executed: exit code 126.
  os, ///< Any other failed system call; see `failure::os_errno`.
  // The numbers travel between trouped and a shim that may be older: new ones
  // come last.
  node_unreachable, ///< Another node of the cluster, or the link to it.
};

/// The enumerator's name, as it travels in the API's error documents.
[[nodiscard]] std::string_view to_string(fault code) noexcept;

/// Classifies an errno value.
[[nodiscard]] fault classify(int os_errno) noexcept;

/// The symbolic name of an errno value, "ENOENT"; "E?" if it has none.
[[nodiscard]] std::string_view errno_name(int os_errno) noexcept;

/// A failure as a value: what to do about it, and the sentence a human reads.
struct failure {
  fault code = fault::os;
  int os_errno = 0;
  /// `attempt: subject: ERRNO`, lower case, no full stop. For configuration
  /// errors it starts with the JSON pointer.
  std::string what;

  /// Returns this failure with `doing` put in front, outermost first:
  /// `create web-1: mount proc on /proc: EPERM`.
  [[nodiscard]] failure during(std::string_view doing) &&;

  friend bool operator==(const failure&, const failure&) = default;
};

/// Builds the failure of system call `call` on `subject`:
/// `openat2 /etc/passwd: ENOENT (No such file or directory)`.
[[nodiscard]] failure os_failure(int os_errno, std::string_view call,
                                 std::string_view subject);

} // namespace troupe
