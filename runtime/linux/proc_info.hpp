#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace troupe::sys {

/// One process as procfs shows it, proc(5).
struct process_info {
  pid_t pid = 0;
  pid_t ppid = 0;
  /// In the innermost pid namespace that it is in, pid_namespaces(7).
  pid_t inner_pid = 0;
  uid_t uid = 0;           ///< Real.
  std::string state;       ///< "R", "S", "D", "Z"...
  std::int64_t cpu_ms = 0; ///< User and system time.
  std::int64_t rss = 0;    ///< Bytes.
  /// Clock ticks from boot to its start: with the pid it names one process,
  /// because a pid is not given anew within a tick.
  std::uint64_t start = 0;
  /// The command line, its arguments separated by blanks, at most 4096 bytes;
  /// "[comm]" where there is none (kernel threads, zombies).
  std::string command;
  friend bool operator==(const process_info&, const process_info&) = default;
};

/// Reads /proc/PID. `not_found` when the process is gone, at whatever moment:
/// everything is read through one descriptor of its directory, so that a pid
/// given anew in between is no mixture of two processes.
[[nodiscard]] result<process_info> read_process(pid_t pid);

/// How long process `pid` has been there, in nanoseconds.
[[nodiscard]] result<std::int64_t> age_of(pid_t pid);

/// Parses /proc/PID/stat. `comm` may hold blanks and parentheses.
[[nodiscard]] result<process_info> parse_stat(std::string_view stat);

} // namespace troupe::sys
