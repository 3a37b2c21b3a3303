#include "bench/measure/stats.hpp"

#include <catch2/catch.hpp>

#include <numeric>
#include <random>

namespace troupe::stats_test {

using namespace troupe::bench;

namespace {

std::vector<double> numbers(int from, int to) {
  std::vector<double> out(static_cast<std::size_t>(to - from + 1));
  std::iota(out.begin(), out.end(), from);
  return out;
}

/// Start times have a long tail: most are near `typical`, some far above.
std::vector<double> tailed(unsigned seed, double typical, std::size_t n) {
  std::mt19937 engine{seed};
  std::lognormal_distribution<double> of{0, 0.3};
  std::vector<double> out;
  for (auto i = std::size_t{0}; i < n; ++i)
    out.push_back(typical * of(engine));
  return out;
}

} // namespace

TEST_CASE("a quantile lies between its neighbours in proportion") {
  CHECK(quantile({3, 1, 2}, 0.5) == 2);
  CHECK(quantile({4, 1, 2, 3}, 0.5) == 2.5);
  CHECK(quantile({10, 20}, 0.9) == Approx(19));
  CHECK(quantile(numbers(0, 100), 0.99) == Approx(99));
  CHECK(quantile({7}, 0.9) == 7);
  CHECK(quantile({1, 2, 3}, 0) == 1);
  CHECK(quantile({1, 2, 3}, 1) == 3);
  CHECK(quantile({}, 0.5) == 0);
}

TEST_CASE("a summary is of all samples, whatever their order") {
  auto xs = numbers(1, 101);
  std::swap(xs.front(), xs.back());
  const auto sum = summarize(xs);
  CHECK(sum.n == 101);
  CHECK(sum.median == 51);
  CHECK(sum.p90 == Approx(91));
  CHECK(sum.p99 == Approx(100));
}

TEST_CASE("one far outlier does not move a median") {
  auto xs = numbers(1, 11);
  xs.back() = 1e9;
  CHECK(summarize(xs).median == 6);
}

TEST_CASE("a ratio to nothing is none") {
  CHECK(ratio(3, 2) == 1.5);
  CHECK(ratio(3, 0) == 0);
}

TEST_CASE("the rank test has the textbook's probability") {
  // U = 0 of 8 * 8: z = (32 - 0.5) / sqrt(8 * 8 * 17 / 12) = 3.308
  CHECK(rank_test(numbers(1, 8), numbers(11, 18))
        == Approx(0.00094).epsilon(0.01));
  // Every y is next to an x: U = 36 of 64, z = 3.5 / 9.522 = 0.3676
  std::vector<double> xs;
  std::vector<double> ys;
  for (auto i = 0; i < 8; ++i) {
    xs.push_back(2 * i);
    ys.push_back(2 * i + 1);
  }
  CHECK(rank_test(xs, ys) == Approx(0.7132).epsilon(0.001));
}

TEST_CASE("the rank test is the same from both sides") {
  const auto xs = tailed(1, 10, 40);
  const auto ys = tailed(2, 11, 30);
  CHECK(rank_test(xs, ys) == Approx(rank_test(ys, xs)));
}

TEST_CASE("equal values share their rank") {
  const std::vector<double> same(20, 5);
  CHECK(rank_test(same, same) == 1);
  auto other = same;
  std::fill(other.begin(), other.begin() + 10, 6);
  CHECK(rank_test(same, other) < 0.001);
}

TEST_CASE("too few samples prove nothing") {
  CHECK(rank_test(numbers(1, 7), numbers(100, 200)) == 1);
  CHECK(rank_test(numbers(100, 200), numbers(1, 7)) == 1);
  CHECK(rank_test({}, {}) == 1);
}

TEST_CASE("noise of one machine is no difference, ten percent is one") {
  auto found = 0;
  for (auto seed = 0U; seed < 100; ++seed) {
    if (rank_test(tailed(2 * seed, 10, 60), tailed(2 * seed + 1, 10, 60))
        < 0.01)
      ++found;
    CHECK(rank_test(tailed(seed, 10, 400), tailed(seed + 1000, 12, 400))
          < 1e-4);
  }
  CHECK(found <= 4); // one in a hundred is what the level allows
}

} // namespace troupe::stats_test
