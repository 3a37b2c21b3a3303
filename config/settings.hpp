#pragma once

#include "config/base/result.hpp"
#include "config/cluster_settings.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

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
  std::string log_driver = "k8s-file";  ///< Or log_choice's others.
  std::int64_t log_max_size = 16 << 20; ///< Bytes per container log file.
  std::uint32_t log_max_files = 5;      ///< Rotated files kept beside it.
  /// Bytes of each process's output that are kept for clients that attach
  /// later.
  std::uint32_t replay_size = 64 << 10;
  std::int64_t stop_timeout_ms = 10'000; ///< SIGTERM to SIGKILL.
  std::int64_t launch_timeout_ms
    = 60'000; ///< create and start, hooks included.
  std::int64_t freeze_timeout_ms = 5'000;
  std::uint32_t launches_at_once = 64;      ///< Containers, sessions;
  std::uint32_t launch_queue = 4096;        ///< others that wait to be.
  std::int64_t event_max_count = 1'000'000; ///< Newest events that are kept,
  std::int64_t event_max_age_s
    = 2'592'000; ///< and how long (30 days); 0: for ever.
  cluster_settings cluster;
  friend bool operator==(const settings&, const settings&) = default;
};

/// Reads a settings file on top of `base`. Unknown keys and wrong types are
/// failures with the JSON pointer and the allowed keys.
[[nodiscard]] result<settings> parse_settings(std::string_view text,
                                              settings base = {});

/// Checks paths, words and ranges; for settings that a command line changed
/// after parse_settings(), which does this itself.
[[nodiscard]] outcome validate(const settings& x);

/// Whether `next` can take the place of `now` while trouped runs. The failure
/// names the first setting that takes a restart.
[[nodiscard]] outcome check_reload(const settings& now, const settings& next);

/// The settings in force, which a reload replaces. Whoever looks, on whatever
/// thread, sees those of one moment.
class live_settings {
public:
  explicit live_settings(settings x = {})
    : now_(std::make_shared<const settings>(std::move(x))) {
  }

  [[nodiscard]] std::shared_ptr<const settings> now() const {
    const std::lock_guard lock{guard_};
    return now_;
  }

  /// For one member: `live->root`.
  [[nodiscard]] std::shared_ptr<const settings> operator->() const {
    return now();
  }

  void replace(settings x) {
    auto next = std::make_shared<const settings>(std::move(x));
    const std::lock_guard lock{guard_};
    now_ = std::move(next);
  }

private:
  mutable std::mutex guard_;
  std::shared_ptr<const settings> now_;
};

} // namespace troupe
