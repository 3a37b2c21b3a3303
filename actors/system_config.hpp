#pragma once

#include "config/settings.hpp"

#include <caf/actor_system_config.hpp>

namespace troupe {

/// Every CAF setting and type registration of this program, in one place
/// (caf-0.17.md section 0): sharing scheduler, bounded throughput, no
/// configuration file.
class system_config : public caf::actor_system_config {
public:
  explicit system_config(const settings& from = {});
};

} // namespace troupe
