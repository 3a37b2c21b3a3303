#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <string>

namespace troupe::plan {

/// A compiled seccomp profile on disk, with what it was made from and by.
struct kept_filter {
  std::uint32_t version = plan_version;
  std::string profile;  ///< As `linux.seccomp` of config.json.
  std::string compiler; ///< libseccomp's version.
  seccomp_filter filter;
  friend bool operator==(const kept_filter&, const kept_filter&) = default;
};

/// As the plans' codec.
[[nodiscard]] bytes encode(const kept_filter& x);
[[nodiscard]] result<kept_filter>
decode_kept_filter(std::span<const std::uint8_t> cbor);

} // namespace troupe::plan
