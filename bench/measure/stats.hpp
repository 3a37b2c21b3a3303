#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// What samples say. No distribution is assumed: start times have long tails
/// and more than one hump, so medians and ranks, not means and deviations.
namespace troupe::bench {

/// The `q`-quantile (0…1) of `xs`, linear between neighbours; 0 of nothing.
[[nodiscard]] double quantile(std::vector<double> xs, double q);

struct summary {
  std::size_t n = 0;
  double median = 0;
  double p90 = 0;
  double p99 = 0; ///< With fewer than 100 samples, close to the largest.
};

[[nodiscard]] summary summarize(const std::vector<double>& xs);

/// `x` / `reference`; 0 if there is no reference.
[[nodiscard]] double ratio(double x, double reference) noexcept;

/// Probability that two samples this unlike come from one distribution:
/// Mann-Whitney U, two-sided, normal approximation with correction for ties and
/// continuity. 1 if either has fewer than `least_samples`.
[[nodiscard]] double rank_test(std::span<const double> xs,
                               std::span<const double> ys);

/// Below this many samples on a side the approximation is no good.
inline constexpr std::size_t least_samples = 8;

} // namespace troupe::bench
