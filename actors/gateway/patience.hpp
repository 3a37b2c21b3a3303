#pragma once

#include "actors/messages.hpp"
#include "actors/shim_calls.hpp"
#include "config/settings.hpp"

#include <caf/timespan.hpp>

#include <chrono>

/// How long a session waits for an answer. Each is longer than what the asked
/// actor allows itself, so that the actor's own, better worded failure arrives
/// first; these only catch an actor that does not answer at all.
namespace troupe::gateway::patience {

using namespace std::chrono_literals;

inline constexpr caf::timespan lookup = 10s;  ///< What is only read in memory.
inline constexpr caf::timespan reading = 30s; ///< /proc, cgroups, the disk.
inline constexpr caf::timespan signalling = 30s;
inline constexpr caf::timespan updating = 90s;  ///< The kernel may reclaim.
inline constexpr caf::timespan upgrading = 60s; ///< A rehearsal takes 10 s.
inline constexpr caf::timespan removing = 120s; ///< Poststop hooks included.

/// Added to what the settings or the client allow.
inline constexpr caf::timespan margin = 30s;

[[nodiscard]] inline caf::timespan launching(const settings& x) {
  return std::chrono::milliseconds{x.launch_timeout_ms} + margin;
}

/// The creation of a container: the line before the shim, and the launch.
[[nodiscard]] inline caf::timespan creating(const settings& x) {
  return 2 * std::chrono::milliseconds{x.launch_timeout_ms} + margin;
}

/// The creation of an exec session.
[[nodiscard]] inline caf::timespan creating(const msg::create_exec& what,
                                            const settings& x) {
  return what.ignore_paused ? pause_patience + margin : launching(x);
}

[[nodiscard]] inline caf::timespan freezing(const settings& x) {
  return std::chrono::milliseconds{x.freeze_timeout_ms} + margin;
}

/// A stop, or a shutdown, that lets its processes have `grace`.
[[nodiscard]] inline caf::timespan stopping(caf::timespan grace) {
  return grace + removing;
}

} // namespace troupe::gateway::patience
