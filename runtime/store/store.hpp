#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"
#include "runtime/plan/kept_limits.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What survives a supervisor on disk: ROOT/containers/ID/ with
///   config.json   the spec as it was compiled
///   plan.cbor     the launch plan
///   limits.cbor   once updated: the limits in the place of those two's
///   state.json    the container's state, replaced by rename
///   log           its output, written by the shim (and log.1, log.2…)
///   attach, pid, exit, and exec-ID-attach…: shim::process_files
/// Everything is 0700/0600. Files are small and on tmpfs, so nothing here
/// waits for a disk.
namespace troupe::store {

/// The content of state.json.
struct state {
  std::string id;
  std::string status; ///< lifecycle::to_string
  std::string bundle;
  std::int32_t pid = 0;
  std::int32_t exit_code = 0;
  std::int32_t exit_signal = 0;
  bool oom_killed = false;
  std::int64_t oom_kills = 0;
  std::string error;
  time_ns created = 0; ///< Also tells two containers of one id apart.
  time_ns started = 0;
  time_ns finished = 0;
  std::string log_driver; ///< log_choice::driver; "": k8s-file, as it was once.
  std::string log_path;
  std::string log_mode; ///< log_choice::mode
  bool auto_remove = false;
  bool stdin_open = false;
  // -- troupe-oci only --
  /// /proc/PID/stat's field 22: with `pid` it names one process for good.
  std::uint64_t pid_start = 0;
  std::string oci_version; ///< config.json's.
  std::string rootfs;      ///< Absolute, on the host.
  std::uint32_t owner = 0; ///< The user id that created it.
  std::map<std::string, std::string> annotations;
  friend bool operator==(const state&, const state&) = default;
};

/// A container as found on disk.
struct found {
  std::string id;
  /// Set unless state.json or plan.cbor is missing or damaged; then `problem`.
  bool usable = false;
  store::state state;
  bool has_plan = false; ///< The plan is whole, whatever the rest is.
  plan::launch_plan plan;
  failure problem;
};

/// The containers directory of one supervisor. Copyable: a path.
class directory {
public:
  explicit directory(std::string root) : root_(std::move(root)) {
  }

  /// Makes ROOT and ROOT/containers (0700).
  [[nodiscard]] outcome prepare() const;

  /// Makes the container's directory; `already_exists` if it is there.
  [[nodiscard]] outcome make(const std::string& id) const;

  [[nodiscard]] outcome write_config(const std::string& id,
                                     const std::string& text) const;
  /// With the limits that are in force.
  [[nodiscard]] result<std::string> read_config(const std::string& id) const;
  [[nodiscard]] outcome write_plan(const plan::launch_plan& plan) const;
  [[nodiscard]] outcome write_limits(const std::string& id,
                                     const plan::kept_limits& x) const;
  /// Nothing if there has been no update.
  [[nodiscard]] result<std::optional<plan::kept_limits>>
  read_limits(const std::string& id) const;
  [[nodiscard]] outcome write_state(const state& x) const;

  /// `not_found` if there is no such file; a damaged one is named by its path.
  [[nodiscard]] result<state> read_state(const std::string& id) const;
  /// With the limits that are in force.
  [[nodiscard]] result<plan::launch_plan>
  read_plan(const std::string& id) const;

  /// What the shim has written down at the end of its process
  /// (shim::process_files), for when the shim itself has no record any more.
  struct ended {
    std::int32_t exit_code = 0; ///< The shell's.
    time_ns finished = 0;
  };
  [[nodiscard]] std::optional<ended> read_exit(const std::string& id) const;

  /// For the shim, when that is gone.
  [[nodiscard]] outcome write_exit(const std::string& id,
                                   std::int32_t exit_code) const;

  /// Every container on disk, damaged ones included; fails where one cannot be
  /// read that may be whole (EMFILE, EIO…).
  [[nodiscard]] result<std::vector<found>> load() const;

  /// Removes the container's directory with everything in it (its own files
  /// only, no links followed). One that is not there is success.
  [[nodiscard]] outcome remove(const std::string& id) const;

  /// Where the containers' directories lie.
  [[nodiscard]] std::string path() const {
    return root_ + "/containers";
  }

  [[nodiscard]] std::string path_of(const std::string& id) const {
    return root_ + "/containers/" + id;
  }

  [[nodiscard]] std::string log_of(const std::string& id) const {
    return path_of(id) + "/log";
  }

  /// What the names of its files for other tools begin with
  /// (shim::process_files); of an exec session of its own, if there is one.
  [[nodiscard]] std::string files_of(const std::string& id,
                                     const std::string& session = {}) const {
    return path_of(id) + "/" + (session.empty() ? "" : "exec-" + session + "-");
  }

private:
  [[nodiscard]] outcome fill(found& into) const;
  [[nodiscard]] result<plan::launch_plan>
  read_first_plan(const std::string& id) const;
  [[nodiscard]] outcome put_limits(plan::launch_plan& into) const;

  std::string root_;
};

} // namespace troupe::store
