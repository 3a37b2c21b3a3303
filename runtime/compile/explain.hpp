#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <string>
#include <vector>

namespace troupe::plan {

/// One line of an explanation.
struct explained_step {
  std::uint32_t number = 0; ///< From 1, over the whole plan.
  std::string phase;        ///< to_string(phase)
  std::string what;         ///< "mount proc on /proc (nosuid,noexec,nodev)"
  std::string origin;       ///< JSON pointer, "" for the runtime's default
  std::string where;        ///< "host", "parent", "init", "container"
};

/// The plan step by step, in the order of execution.
[[nodiscard]] std::vector<explained_step> explain(const launch_plan& plan);

/// The same as a JSON array of objects.
[[nodiscard]] std::string explain_json(const launch_plan& plan);

/// The same as a table with a header line, and the plan's warnings below it.
/// In all three, environment values are redacted.
[[nodiscard]] std::string explain_table(const launch_plan& plan);

} // namespace troupe::plan
