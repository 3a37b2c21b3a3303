#include "bench/harness/session.hpp"

#include "bench/harness/interrupt.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <unistd.h>

namespace troupe::bench {

namespace {

constexpr std::array ours{"spawn",  "floor",      "api",
                          "troupe", "troupe-oci", "trouped"};

bool is_ours(const std::string& who) {
  return std::ranges::find(ours, who) != ours.end();
}

} // namespace

void session::add(const std::string& condition, const metric& what,
                  const std::string& who, double value) {
  in.out.add(scenario_, condition, what, who, value);
}

void session::absent(const std::string& who, const std::string& reason) {
  in.own_failure = in.own_failure || is_ours(who);
  progress("without " + who + ": " + reason);
  in.out.add_absence(scenario_, who, reason);
}

void session::progress(const std::string& text) const {
  if (in.with.progress || ::isatty(STDERR_FILENO) != 0)
    std::fprintf(stderr, "%s: %s\n", scenario_.c_str(), text.c_str());
}

outcome session::take_round(const std::string& condition,
                            std::vector<participant>& who, bool record) {
  for (auto each = who.begin(); each != who.end();) {
    TROUPE_CHECK(check_interrupt());
    const auto seen = each->once();
    if (!seen) {
      TROUPE_CHECK(check_interrupt());
      absent(each->name, seen.error().what);
      each = who.erase(each);
      continue;
    }
    if (record)
      for (const auto& [what, value] : *seen)
        add(condition, what, each->name, value);
    ++each;
  }
  return {};
}

outcome session::interleave(const std::string& condition,
                            std::vector<participant> who, int rounds) {
  constexpr auto ten = 10;
  std::mt19937 order{7}; // the same in every run
  const auto warm_up = std::min(3, 1 + rounds / ten);
  for (auto i = 0; i < warm_up; ++i)
    TROUPE_CHECK(take_round(condition, who, false));
  for (auto i = 0; i < rounds; ++i) {
    if (i % ten == 0)
      progress(condition + (condition.empty() ? "" : ": ") + "round "
               + std::to_string(i) + " of " + std::to_string(rounds));
    if (i > 0)
      std::ranges::shuffle(who, order);
    TROUPE_CHECK(take_round(condition, who, true));
  }
  return {};
}

participant timed(session& in, std::string name, metric what,
                  std::function<command()> make) {
  return {std::move(name),
          [&in, what = std::move(what),
           make = std::move(make)]() -> result<readings> {
            TROUPE_TRY(const auto took, in.in.run.time(make()));
            return readings{{what, took}};
          }};
}

} // namespace troupe::bench
