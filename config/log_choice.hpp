#pragma once

#include "config/base/result.hpp"
#include "config/json/pointer.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// What log_choice::driver can be; all but the last suit every container.
inline constexpr std::array<std::string_view, 5> log_drivers{
  "k8s-file", "json-file", "journald", "none", "passthrough"};

/// What suits as the usual one: passthrough needs a caller.
inline constexpr auto log_drivers_of_all = std::span{log_drivers}.first(
  log_drivers.size() - 1);

/// How a container's output is logged: docker's --log-driver and --log-opt as
/// data. What is left out is the supervisor's to choose.
struct log_choice {
  /// One of log_drivers; "": by the settings.
  std::string driver;
  /// Absolute; "": beside the container's state. Of a journald: its socket.
  std::string path;
  std::int64_t max_size = -1;  ///< Bytes of one file; -1: by the settings.
  std::int64_t max_files = -1; ///< Rotated ones kept; -1: by the settings.
  /// What happens while the log cannot be written: `blocking`, the container
  /// waits; `non-blocking`, output is dropped and counted. "": blocking for
  /// journald, whose queue is short, non-blocking for files.
  std::string mode;
  friend bool operator==(const log_choice&, const log_choice&) = default;
};

template <class Io>
void fields(Io& io, log_choice& x) {
  io.optional("driver", x.driver);
  io.optional("path", x.path);
  io.optional("max_size", x.max_size);
  io.optional("max_files", x.max_files);
  io.optional("mode", x.mode);
}

/// Checks words, paths and ranges; failures name the place below `at`.
[[nodiscard]] outcome validate(const log_choice& x, const json::pointer& at);

/// The mode where none is chosen.
[[nodiscard]] std::string usual_mode(const std::string& driver);

} // namespace troupe
