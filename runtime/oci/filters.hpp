#pragma once

#include "config/oci/spec.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>

namespace troupe::oci_runtime {

/// Compiled seccomp profiles in ROOT/filters. To compile a docker-sized profile
/// takes as long as the rest of a start several times over, and a process that
/// lives for one container has nothing to remember it in. Only a cache: what
/// cannot be read or written there is compiled again.
class filter_directory {
public:
  /// `root`: absolute, our own alone (0700).
  explicit filter_directory(const std::string& root)
    : path_(root + "/filters") {
  }

  [[nodiscard]] result<plan::seccomp_filter>
  get(const oci::seccomp& profile) const;

private:
  std::string path_;
};

} // namespace troupe::oci_runtime
