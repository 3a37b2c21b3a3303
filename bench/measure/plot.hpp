#pragma once

#include "bench/measure/report.hpp"

namespace troupe::bench {

/// A plot: a script for gnuplot that holds its own data and writes `file`.
struct plot {
  std::string file; ///< "start.svg"
  std::string script;
};

/// One plot for each scenario and metric. Where the condition is a number of
/// containers ("n=64") it is the x axis, else a bar for each participant: the
/// median, with a line up to the 90th percentile.
[[nodiscard]] std::vector<plot> plots_of(const report& x);

} // namespace troupe::bench
