#pragma once

#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>

#include <cstdint>
#include <string>

namespace troupe {

/// How much of the past the event log keeps.
struct event_retention {
  std::int64_t max_events = 1'000'000;
};

/// Opens (or makes) the SQLite database at `path` in WAL mode and spawns the
/// EVENT LOG on it, detached. A file that is not a usable database is renamed
/// to `path.corrupt-TIME`, reported in `warning`, and a new one begun.
[[nodiscard]] result<event_log_actor> spawn_event_log(caf::actor_system& system,
                                                      const std::string& path,
                                                      event_retention keep,
                                                      std::string& warning);

} // namespace troupe
