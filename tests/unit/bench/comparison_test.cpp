#include "bench/measure/comparison.hpp"

#include <catch2/catch.hpp>

namespace troupe::comparison_test {

using namespace troupe::bench;

namespace {

const metric time_ms{"start to exit", "ms"};
const metric rate{"throughput", "/s", true};

/// Thirty samples around `middle`, spread by a tenth of it.
void add(report& to, const metric& what, const std::string& who,
         double middle) {
  for (auto i = 0; i < 30; ++i)
    to.add("start", "", what, who, middle * (0.95 + 0.1 * (i % 10) / 9));
}

verdict judged(const metric& what, double before, double after) {
  report old;
  report now;
  add(old, what, "api", before);
  add(now, what, "api", after);
  return compare(old, now).changes.at(0).what;
}

} // namespace

TEST_CASE("less time is better, less throughput is worse") {
  CHECK(judged(time_ms, 10, 8) == verdict::better);
  CHECK(judged(time_ms, 10, 12) == verdict::worse);
  CHECK(judged(rate, 10, 8) == verdict::worse);
  CHECK(judged(rate, 10, 12) == verdict::better);
}

TEST_CASE("what lies within the noise is no change") {
  CHECK(judged(time_ms, 10, 10) == verdict::same);
  CHECK(judged(time_ms, 10, 10.1) == verdict::same);
}

TEST_CASE("a change that nobody would feel is none, however certain") {
  report old;
  report now;
  for (auto i = 0; i < 1000; ++i) {
    old.add("start", "", time_ms, "api", 10 + i * 1e-6);
    now.add("start", "", time_ms, "api", 10.2 + i * 1e-6);
  }
  const auto seen = compare(old, now);
  CHECK(seen.changes.at(0).chance < 1e-9);
  CHECK(seen.changes.at(0).what == verdict::same);
}

TEST_CASE("single values are shown, not judged") {
  report old;
  report now;
  old.add("memory", "n=100", {"PSS", "KiB"}, "trouped", 40);
  now.add("memory", "n=100", {"PSS", "KiB"}, "trouped", 80);
  const auto seen = compare(old, now);
  CHECK(seen.changes.at(0).what == verdict::unknown);
  CHECK(to_text(seen).find("memory n=100: PSS, trouped") != std::string::npos);
}

TEST_CASE("the more is compared, the more it takes to stand out") {
  report old;
  report now;
  for (auto i = 0; i < 10; ++i) {
    old.add("start", "", time_ms, "api", 10 + i);
    now.add("start", "", time_ms, "api", 15 + i);
  }
  REQUIRE(compare(old, now).changes.at(0).what == verdict::worse);
  for (auto i = 0; i < 200; ++i)
    for (auto k = 0; k < 10; ++k) {
      old.add("start", std::to_string(i), time_ms, "api", 10 + k);
      now.add("start", std::to_string(i), time_ms, "api", 10 + k);
    }
  CHECK(compare(old, now).changes.at(0).what == verdict::same);
}

TEST_CASE("what only one run has is named") {
  report old;
  report now;
  old.add("start", "", time_ms, "runc", 1);
  now.add("start", "", time_ms, "crun", 1);
  const auto text = to_text(compare(old, now));
  CHECK(text.find("only before: start: start to exit, runc")
        != std::string::npos);
  CHECK(text.find("only after: start: start to exit, crun")
        != std::string::npos);
}

} // namespace troupe::comparison_test
