#pragma once

#include "bench/harness/process.hpp"

#include <nlohmann/json.hpp>

namespace troupe::bench {

/// What a figure means nothing without: CPU, kernel, cgroups, load.
[[nodiscard]] nlohmann::json machine_facts();

/// The first line that each program has to say of its version.
[[nodiscard]] nlohmann::json
program_versions(const std::vector<std::string>& programs, runner& with);

} // namespace troupe::bench
