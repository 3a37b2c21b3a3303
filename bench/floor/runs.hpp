#pragma once

#include "bench/floor/perform.hpp"

#include <vector>

namespace troupe::floor {

/// `count` starts, each after the end of the one before.
[[nodiscard]] result<std::vector<times>>
run_in_sequence(const plan::launch_plan& plan, int count);

/// `count` starts that are wanted at once, made by `starters` processes; every
/// `began` is the moment at which they were wanted.
[[nodiscard]] result<std::vector<times>>
run_at_once(const plan::launch_plan& plan, int count, int starters);

} // namespace troupe::floor
