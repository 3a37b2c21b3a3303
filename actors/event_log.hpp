#pragma once

#include "actors/event_table.hpp"
#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>

#include <string>

namespace troupe {

/// Opens (or makes) the SQLite database at `path` in WAL mode and spawns the
/// EVENT LOG on it, detached. A file that is not a usable database is renamed
/// to `path.corrupt-TIME`, reported in `warning`, and a new one begun.
[[nodiscard]] result<event_log_actor> spawn_event_log(caf::actor_system& system,
                                                      const std::string& path,
                                                      event_retention keep,
                                                      std::string& warning);

} // namespace troupe
