#pragma once

#include "bench/measure/report.hpp"

#include <cstdint>

namespace troupe::bench {

enum class verdict : std::uint8_t {
  same, ///< No difference beyond the noise.
  better,
  worse,
  unknown, ///< Too few samples to tell.
};

/// One series of two runs.
struct change {
  const series* before = nullptr;
  const series* after = nullptr;
  double ratio = 0; ///< Of the medians, after / before.
  double chance = 1;
  verdict what = verdict::unknown;
};

struct comparison {
  std::vector<change> changes; ///< Series that both have.
  std::vector<std::string> only_before;
  std::vector<std::string> only_after;
};

/// A difference counts if it is larger than 3 % and its chance, multiplied by
/// the number of series that are tested (Bonferroni), is below 1 %. Refers to
/// both reports.
[[nodiscard]] comparison compare(const report& before, const report& after);

/// For people: what changed; how many did not; what has too few samples.
[[nodiscard]] std::string to_text(const comparison& x);

/// "start n=8 start to exit, api"
[[nodiscard]] std::string title(const series& x);

} // namespace troupe::bench
