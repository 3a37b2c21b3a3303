#pragma once

#include "bench/measure/report.hpp"

namespace troupe::bench {

/// Writes report.json, report.csv, and a plot for each metric of each scenario
/// into `directory`, which is made. Without gnuplot there are no plots, and
/// stderr says so.
[[nodiscard]] outcome write_files(const report& x,
                                  const std::string& directory);

} // namespace troupe::bench
