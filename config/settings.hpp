#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// trouped's own settings: `--config FILE` in JSON, then the command line.
/// Every default stands here.
struct settings {
  std::string root = "/run/troupe";      ///< Runtime files, 0700.
  std::string state = "/var/lib/troupe"; ///< Durable files, 0700.
  std::string socket;                    ///< Empty: ROOT/trouped.sock.
  std::string shim; ///< troupe-shim binary; empty: beside trouped.
  std::string cgroup_parent = "/troupe"; ///< For specs without cgroupsPath.
  bool systemd_cgroup = false;     ///< systemd makes the containers' cgroups.
  std::string log_level = "info";  ///< trace, debug, info, warn, error, off
  std::string log_format = "text"; ///< text or json
  std::uint32_t threads = 2;       ///< CAF workers.
  /// Launchers that a new shim keeps ready, each with a network namespace.
  std::uint32_t spare_launchers = 1;
  std::int64_t log_max_size = 16 << 20;  ///< Bytes per container log file.
  std::uint32_t log_max_files = 5;       ///< Rotated files kept beside it.
  std::int64_t stop_timeout_ms = 10'000; ///< SIGTERM to SIGKILL.
  std::int64_t launch_timeout_ms
    = 60'000; ///< create and start, hooks included.
  std::int64_t freeze_timeout_ms = 5'000;
  friend bool operator==(const settings&, const settings&) = default;
};

/// Reads a settings file on top of `base`. Unknown keys and wrong types are
/// failures with the JSON pointer and the allowed keys.
[[nodiscard]] result<settings> parse_settings(std::string_view text,
                                              settings base = {});

/// Checks paths, words and ranges; for settings that a command line changed
/// after parse_settings(), which does this itself.
[[nodiscard]] outcome validate(const settings& x);

} // namespace troupe
