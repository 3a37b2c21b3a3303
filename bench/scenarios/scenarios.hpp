#pragma once

#include "bench/harness/session.hpp"

#include <span>
#include <string>
#include <vector>

namespace troupe::bench {

struct scenario {
  const char* name;
  const char* measures;
  outcome (*run)(session&);
};

/// In the order in which they run: those with many containers come last.
[[nodiscard]] std::span<const scenario> all_scenarios();

[[nodiscard]] std::vector<std::string> scenario_names();

outcome measure_overhead(session& in);
outcome measure_start(session& in);
outcome measure_lifecycle(session& in);
outcome measure_exec(session& in);
outcome measure_control(session& in);
outcome measure_concurrent(session& in);
outcome measure_event(session& in);
outcome measure_oom(session& in);
outcome measure_stuck(session& in);
outcome measure_log(session& in);
outcome measure_memory(session& in);
outcome measure_density(session& in);
outcome measure_look(session& in);
outcome measure_idle(session& in);
outcome measure_adopt(session& in);
outcome measure_remote(session& in);

/// "n=64"
[[nodiscard]] inline std::string condition_of(std::size_t count) {
  return "n=" + std::to_string(count);
}

} // namespace troupe::bench
