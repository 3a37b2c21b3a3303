#include "actors/gateway/query.hpp"
#include "tests/support/mutator.hpp"

#include <catch2/catch.hpp>

#include <array>

namespace troupe::query_mutation_test {

TEST_CASE("mutants of a query are refused with a reason, or in their range",
          "[rule-8]") {
  test::mutator texts{{"follow=1&tail=20&since=1700000000.5&signal=TERM",
                       "signal=15&since=2026-11-22T05:23:00Z&timeout=1.5",
                       "name=%41b%2fc+d&tail=0"}};
  constexpr std::array<std::string_view, 6> names{"follow", "tail",    "since",
                                                  "signal", "timeout", "name"};
  auto accepted = 0;
  for (auto i = 0; i < 5000; ++i) {
    const auto text = texts.next();
    const auto query = gateway::query::parse(text, names);
    if (!query) {
      if (query.error().what.empty())
        FAIL("refused without a word: " << text);
      continue;
    }
    ++accepted;
    if (const auto tail = query->natural("tail", 1000); tail && *tail)
      if (**tail > 1000)
        FAIL("tail of " << **tail << ": " << text);
    if (const auto signo = query->signal("signal", 9); signo)
      if (*signo < 1 || *signo > 64)
        FAIL("signal " << *signo << ": " << text);
    (void)query->flag("follow");
    (void)query->moment("since");
    (void)query->seconds("timeout", std::chrono::nanoseconds{0});
    (void)query->text("name");
  }
  CHECK(accepted > 0);
}

} // namespace troupe::query_mutation_test
