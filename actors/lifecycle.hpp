#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The container's state machine: the only place that knows what is legal.
/// Statuses are libcontainer's Running, Pausing, Paused, Checkpointed and
/// Destroyed, with OCI's creating, created and stopped around them.
///
/// Requests: first the effect, then the status. Facts: first the status, then
/// the effect. A signal never changes the status of a running container; only
/// its reaped exit does.
namespace troupe::lifecycle {

enum class status : std::uint8_t {
  creating,     ///< The launcher is at work.
  created,      ///< Init waits for start.
  running,      ///< Init has executed the program.
  pausing,      ///< The freezer was asked, and has not answered yet.
  paused,       ///< Every task is frozen.
  checkpointed, ///< The state is on disk; nothing runs.
  stopped,      ///< Init has been reaped.
  destroyed,    ///< Nothing is left on the host.
};
inline constexpr std::size_t status_count = 8;

/// What can happen: requests, then facts.
enum class operation : std::uint8_t {
  start,
  exec,
  pause,
  resume,
  signal, ///< Any signal but SIGKILL.
  kill,   ///< SIGKILL.
  stop,   ///< SIGTERM, a grace period, SIGKILL.
  checkpoint,
  restore,
  update,  ///< Of limits.
  remove,  ///< Of a container that does not run.
  destroy, ///< Of any container: kills what runs.
  // facts
  launched,      ///< Init waits.
  launch_failed, ///< And the launcher has cleaned up.
  frozen,        ///< The kernel reports every task frozen.
  freeze_failed, ///< Refused, or not done by its deadline.
  exited,        ///< Init was reaped.
};
inline constexpr std::size_t operation_count = 17;

/// What the container actor must do on the way.
enum class effect : std::uint8_t {
  nothing,
  open_start, ///< Lets init go on to its exec.
  run_exec,   ///< Opens an exec session.
  freeze,
  thaw,
  send_signal,
  kill_thawed, ///< SIGKILL, then thaw, so that it can die.
  terminate,   ///< SIGTERM and a deadline.
  terminate_thawed,
  dump,          ///< Checkpoint.
  undump,        ///< Restore.
  teardown,      ///< Cgroups, hooks, files.
  kill_teardown, ///< SIGKILL, and teardown once reaped.
  settle,        ///< After an exit: counters, events, waiters.
};

struct transition {
  status from;
  operation on;
  status to;
  effect run;

  friend constexpr bool operator==(const transition&, const transition&)
    = default;
};

// clang-format off
inline constexpr std::array transitions{
  transition{status::creating, operation::launched,      status::created,   effect::nothing},
  transition{status::creating, operation::launch_failed, status::destroyed, effect::settle},
  transition{status::creating, operation::kill,          status::creating,  effect::send_signal},
  transition{status::creating, operation::destroy,       status::creating,  effect::kill_teardown},
  transition{status::creating, operation::exited,        status::stopped,   effect::settle},

  transition{status::created,  operation::start,         status::running,   effect::open_start},
  transition{status::created,  operation::signal,        status::created,   effect::send_signal},
  transition{status::created,  operation::kill,          status::created,   effect::send_signal},
  transition{status::created,  operation::stop,          status::created,   effect::terminate},
  transition{status::created,  operation::remove,        status::created,   effect::kill_teardown},
  transition{status::created,  operation::update,        status::created,   effect::nothing},
  transition{status::created,  operation::destroy,       status::created,   effect::kill_teardown},
  transition{status::created,  operation::exited,        status::stopped,   effect::settle},

  transition{status::running,  operation::exec,          status::running,   effect::run_exec},
  transition{status::running,  operation::pause,         status::pausing,   effect::freeze},
  transition{status::running,  operation::resume,        status::running,   effect::nothing},
  transition{status::running,  operation::signal,        status::running,   effect::send_signal},
  transition{status::running,  operation::kill,          status::running,   effect::send_signal},
  transition{status::running,  operation::stop,          status::running,   effect::terminate},
  transition{status::running,  operation::checkpoint,    status::checkpointed, effect::dump},
  transition{status::running,  operation::update,        status::running,   effect::nothing},
  transition{status::running,  operation::destroy,       status::running,   effect::kill_teardown},
  transition{status::running,  operation::exited,        status::stopped,   effect::settle},

  transition{status::pausing,  operation::pause,         status::pausing,   effect::nothing},
  transition{status::pausing,  operation::resume,        status::running,   effect::thaw},
  transition{status::pausing,  operation::signal,        status::pausing,   effect::send_signal},
  transition{status::pausing,  operation::kill,          status::running,   effect::kill_thawed},
  transition{status::pausing,  operation::stop,          status::running,   effect::terminate_thawed},
  transition{status::pausing,  operation::update,        status::pausing,   effect::nothing},
  transition{status::pausing,  operation::destroy,       status::running,   effect::kill_teardown},
  transition{status::pausing,  operation::frozen,        status::paused,    effect::nothing},
  transition{status::pausing,  operation::freeze_failed, status::running,   effect::thaw},
  transition{status::pausing,  operation::exited,        status::stopped,   effect::settle},

  transition{status::paused,   operation::pause,         status::paused,    effect::nothing},
  transition{status::paused,   operation::resume,        status::running,   effect::thaw},
  transition{status::paused,   operation::signal,        status::paused,    effect::send_signal},
  transition{status::paused,   operation::kill,          status::running,   effect::kill_thawed},
  transition{status::paused,   operation::stop,          status::running,   effect::terminate_thawed},
  transition{status::paused,   operation::checkpoint,    status::checkpointed, effect::dump},
  transition{status::paused,   operation::update,        status::paused,    effect::nothing},
  transition{status::paused,   operation::destroy,       status::running,   effect::kill_teardown},
  transition{status::paused,   operation::exited,        status::stopped,   effect::settle},

  transition{status::checkpointed, operation::restore,   status::running,   effect::undump},
  transition{status::checkpointed, operation::remove,    status::destroyed, effect::teardown},
  transition{status::checkpointed, operation::destroy,   status::destroyed, effect::teardown},

  transition{status::stopped,  operation::stop,          status::stopped,   effect::nothing},
  transition{status::stopped,  operation::remove,        status::destroyed, effect::teardown},
  transition{status::stopped,  operation::destroy,       status::destroyed, effect::teardown},

  transition{status::destroyed, operation::remove,       status::destroyed, effect::nothing},
  transition{status::destroyed, operation::destroy,      status::destroyed, effect::nothing},
};
// clang-format on

/// The row for `on` in `from`, if that operation is allowed there.
[[nodiscard]] constexpr std::optional<transition> find(status from,
                                                       operation on) noexcept {
  for (const auto& row : transitions)
    if (row.from == from && row.on == on)
      return row;
  return std::nullopt;
}

/// Whether the container has an init process in this status.
[[nodiscard]] constexpr bool has_process(status x) noexcept {
  return x <= status::paused;
}

/// Whether its program has been executed and has not ended, frozen or not.
[[nodiscard]] constexpr bool is_running(status x) noexcept {
  return x == status::running || x == status::pausing || x == status::paused;
}

[[nodiscard]] constexpr bool is_fact(operation x) noexcept {
  return x >= operation::launched;
}

[[nodiscard]] constexpr std::string_view to_string(status x) noexcept {
  constexpr std::array<std::string_view, status_count> names{
    "creating", "created",      "running", "pausing",
    "paused",   "checkpointed", "stopped", "destroyed",
  };
  return names[static_cast<std::size_t>(x)];
}

[[nodiscard]] constexpr std::string_view to_string(operation x) noexcept {
  constexpr std::array<std::string_view, operation_count> names{
    "start",         "exec",    "pause",      "resume",        "signal",
    "kill",          "stop",    "checkpoint", "restore",       "update",
    "remove",        "destroy", "launched",   "launch_failed", "frozen",
    "freeze_failed", "exited",
  };
  return names[static_cast<std::size_t>(x)];
}

/// The status of that name, as kept on disk.
[[nodiscard]] constexpr std::optional<status>
status_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < status_count; ++i)
    if (to_string(static_cast<status>(i)) == name)
      return static_cast<status>(i);
  return std::nullopt;
}

// -- what the table promises, checked on every build --------------------------

namespace proof {

consteval bool deterministic() {
  for (const auto& a : transitions)
    for (const auto& b : transitions)
      if (a.from == b.from && a.on == b.on && a != b)
        return false;
  return true;
}

consteval bool every_live_status_can_end() {
  for (std::size_t i = 0; i < status_count; ++i) {
    const auto from = static_cast<status>(i);
    const auto row = find(from, operation::exited);
    if (has_process(from) != row.has_value())
      return false;
    if (row && (row->to != status::stopped || row->run != effect::settle))
      return false;
  }
  return true;
}

consteval bool only_exit_stops() {
  for (const auto& row : transitions)
    if (row.to == status::stopped && row.from != status::stopped
        && row.on != operation::exited)
      return false;
  return true;
}

consteval bool destroy_is_always_legal() {
  for (std::size_t i = 0; i < status_count; ++i)
    if (!find(static_cast<status>(i), operation::destroy))
      return false;
  return true;
}

consteval bool nothing_leaves_destroyed() {
  for (const auto& row : transitions)
    if (row.from == status::destroyed && row.to != status::destroyed)
      return false;
  return true;
}

consteval bool every_status_is_reachable() {
  std::array<bool, status_count> seen{true};
  for (std::size_t round = 0; round < status_count; ++round)
    for (const auto& row : transitions)
      if (seen[static_cast<std::size_t>(row.from)])
        seen[static_cast<std::size_t>(row.to)] = true;
  for (const auto x : seen)
    if (!x)
      return false;
  return true;
}

static_assert(deterministic());
static_assert(every_live_status_can_end());
static_assert(only_exit_stops());
static_assert(destroy_is_always_legal());
static_assert(nothing_leaves_destroyed());
static_assert(every_status_is_reachable());

} // namespace proof

} // namespace troupe::lifecycle
