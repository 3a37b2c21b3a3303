#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>

namespace troupe::oci {

/// What of the features document the configuration alone cannot tell.
struct runtime_features {
  bool idmap = true; ///< uidMappings and gidMappings of mounts.
  bool apparmor = true;
  bool selinux = true;
  bool intel_rdt = true;
  bool net_devices = true;
  std::map<std::string, std::string> annotations;
};

/// The features document (features.md and features-linux.md, v1.3.0): what this
/// program understands, whatever the host has. Words come from the tables that
/// parse and validate use.
[[nodiscard]] nlohmann::ordered_json features(const runtime_features& x);

} // namespace troupe::oci
