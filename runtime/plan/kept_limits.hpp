#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <string>

namespace troupe::plan {

/// What updates have made of a container's limits: takes the place of
/// `linux.resources` in its config.json and of `cgroup` in its plan.
struct kept_limits {
  std::uint32_t version = plan_version;
  std::string resources; ///< JSON, all that are in force.
  plan::cgroup cgroup;
  friend bool operator==(const kept_limits&, const kept_limits&) = default;
};

/// As the plans' codec.
[[nodiscard]] bytes encode(const kept_limits& x);
[[nodiscard]] result<kept_limits>
decode_kept_limits(std::span<const std::uint8_t> cbor);

} // namespace troupe::plan
