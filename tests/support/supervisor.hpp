#pragma once

#include "tests/support/command.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

/// What stands around a trouped.
struct surroundings {
  std::vector<std::string> env = {};     ///< Added to ours.
  std::vector<std::string> through = {}; ///< A command that executes it.
};

/// A private, real supervisor: own root, state, socket and cgroup parent below
/// a fresh directory in /tmp. Its end is checked: every container is stopped,
/// the shim is gone, and nothing is left behind.
class supervisor {
public:
  supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor(); ///< Ends what `finish` did not, without checking.

  /// Starts trouped (again) and waits until it is ready.
  void start(const std::vector<std::string>& options = {},
             const surroundings& with = {});

  void signal_supervisor(int signo) const;

  /// Kills trouped with SIGKILL and reaps it.
  void kill_supervisor();

  /// SIGTERM; the exit code.
  [[nodiscard]] int terminate_supervisor();

  /// `troupe shutdown --stop-containers`, waits for supervisor and shim, and
  /// returns what is left behind: mounts, cgroups, processes, files.
  [[nodiscard]] std::vector<std::string> finish();

  /// Runs `troupe` against it.
  [[nodiscard]] command_result troupe(std::vector<std::string> argv,
                                      command_options options = {}) const;

  /// The same, whose stdout is JSON; fails the test if it is not.
  [[nodiscard]] nlohmann::json
  troupe_json(const std::vector<std::string>& argv) const;

  /// `inspect ID`
  [[nodiscard]] nlohmann::json inspect(const std::string& id) const;

  /// Runs curl with its socket; `path` starts with a slash.
  [[nodiscard]] command_result
  curl(const std::string& path, std::vector<std::string> options = {}) const;

  /// A background `troupe`.
  [[nodiscard]] std::unique_ptr<background>
  troupe_background(std::vector<std::string> argv) const;

  [[nodiscard]] std::string socket() const {
    return directory_ + "/run/trouped.sock";
  }
  [[nodiscard]] const std::string& directory() const {
    return directory_;
  }
  [[nodiscard]] const std::string& cgroup_parent() const {
    return cgroup_parent_;
  }
  [[nodiscard]] std::string log() const;

private:
  void end_by_force() const;

  std::string directory_;
  std::string cgroup_parent_;
  std::string old_output_;
  int shim_pid_ = 0;
  std::unique_ptr<background> trouped_;
};

/// Mounts below `directory`, cgroups named `cgroup_parent`, and processes whose
/// command line mentions `directory`.
[[nodiscard]] std::vector<std::string>
leftovers(const std::string& directory, const std::string& cgroup_parent);

} // namespace troupe::test
