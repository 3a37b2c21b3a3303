#include "bench/measure/stats.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::bench {

namespace {

struct marked {
  double value;
  bool is_x;
};

std::vector<marked> merged(std::span<const double> xs,
                           std::span<const double> ys) {
  std::vector<marked> out;
  for (const auto x : xs)
    out.push_back({x, true});
  for (const auto y : ys)
    out.push_back({y, false});
  std::ranges::sort(out, {}, &marked::value);
  return out;
}

/// Rank sum of the xs, equal values sharing their ranks' mean, and what ties
/// take off the variance: the sum of t^3 - t over groups of t equal values.
struct ranking {
  double sum = 0;
  double ties = 0;
};

ranking rank(const std::vector<marked>& all) {
  ranking out;
  for (auto i = std::size_t{0}; i < all.size();) {
    auto end = i;
    auto xs = 0.0;
    for (; end < all.size() && all[end].value == all[i].value; ++end)
      xs += all[end].is_x ? 1 : 0;
    const auto size = static_cast<double>(end - i);
    const auto mean_rank = static_cast<double>(i) + (size + 1) / 2;
    out.sum += xs * mean_rank;
    out.ties += size * size * size - size;
    i = end;
  }
  return out;
}

} // namespace

double quantile(std::vector<double> xs, double q) {
  if (xs.empty())
    return 0;
  std::ranges::sort(xs);
  const auto at = q * static_cast<double>(xs.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, xs.size() - 1);
  return xs[below]
         + (at - static_cast<double>(below)) * (xs[above] - xs[below]);
}

summary summarize(const std::vector<double>& xs) {
  return {xs.size(), quantile(xs, 0.5), quantile(xs, 0.9), quantile(xs, 0.99)};
}

double ratio(double x, double reference) noexcept {
  return reference == 0 ? 0 : x / reference;
}

double rank_test(std::span<const double> xs, std::span<const double> ys) {
  if (xs.size() < least_samples || ys.size() < least_samples)
    return 1;
  const auto n = static_cast<double>(xs.size());
  const auto m = static_cast<double>(ys.size());
  const auto ranks = rank(merged(xs, ys));
  const auto u = ranks.sum - n * (n + 1) / 2;
  const auto all = n + m;
  const auto variance = n * m / 12 * (all + 1 - ranks.ties / (all * (all - 1)));
  if (variance <= 0)
    return 1; // every value is the same
  const auto distance = std::max(0.0, std::abs(u - n * m / 2) - 0.5);
  return std::erfc(distance / std::sqrt(variance) / std::sqrt(2.0));
}

} // namespace troupe::bench
