#pragma once

#include "config/base/result.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Makes a root file system with busybox and troupe-bench-probe in it.
[[nodiscard]] outcome make_rootfs(const std::string& path,
                                  const std::string& probe);

/// Makes the OCI bundle that every participant gets: docker's defaults around
/// `rootfs`, running `args`.
[[nodiscard]] outcome make_bundle(const std::string& path,
                                  const std::string& rootfs,
                                  const std::vector<std::string>& args);

/// Compiles the bundle for this host and writes the plan, for troupe-floor.
[[nodiscard]] outcome write_plan(const std::string& bundle,
                                 const std::string& cgroup_parent,
                                 const std::string& file);

} // namespace troupe::bench
