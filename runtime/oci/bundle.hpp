#pragma once

#include "config/oci/spec.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>

/// From a bundle to a plan.
namespace troupe::oci_runtime {

/// The cgroup below which containers go whose configuration names none, or a
/// relative one.
inline constexpr auto default_cgroup_parent = "/troupe-oci";

struct bundle {
  std::string path;   ///< Absolute.
  std::string config; ///< config.json's text.
  oci::spec spec;
};

/// Reads and validates `path`/config.json; "" is the current directory.
[[nodiscard]] result<bundle> read_bundle(const std::string& path);

/// What of a plan is the command line's and not the bundle's.
struct plan_options {
  bool no_pivot = false;
  bool no_new_keyring = false;
  /// It stays in the cgroups of its caller, who limits it, or nobody does.
  bool no_cgroup = false;
  /// systemd makes its cgroup.
  bool systemd_cgroup = false;
};

/// `root`: troupe-oci's own, where compiled seccomp profiles are kept.
[[nodiscard]] result<plan::launch_plan> compile(const bundle& in,
                                                const std::string& id,
                                                const std::string& root,
                                                const plan_options& options);

} // namespace troupe::oci_runtime
