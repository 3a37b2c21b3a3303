#include "actors/lifecycle.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <string_view>

namespace troupe::lifecycle_test {

using namespace troupe::lifecycle;

namespace {

/// The machine once more, written independently of the table under test: a row
/// per status, a column per operation. "." is refused; else the first letters
/// of the status that follows: cg creating, cd created, ru running, pg pausing,
/// pd paused, ck checkpointed, st stopped, de destroyed.
struct expected_row {
  status from;
  std::array<std::string_view, operation_count> to;
};

// clang-format off
constexpr std::array<expected_row, status_count> expected{{
  //                      start exec  pause resume signal kill  stop  ckpt  rest  updat remove destr launched l_fail frozen f_fail exited
  {status::creating,     {".",  ".",  ".",  ".",   ".",   "cg", ".",  ".",  ".",  ".",  ".",   "cg", "cd",    "de",  ".",   ".",   "st"}},
  {status::created,      {"ru", ".",  ".",  ".",   "cd",  "cd", "cd", ".",  ".",  "cd", "cd",  "cd", ".",     ".",   ".",   ".",   "st"}},
  {status::running,      {".",  "ru", "pg", "ru",  "ru",  "ru", "ru", "ck", ".",  "ru", ".",   "ru", ".",     ".",   ".",   ".",   "st"}},
  {status::pausing,      {".",  ".",  "pg", "ru",  "pg",  "ru", "ru", ".",  ".",  "pg", ".",   "ru", ".",     ".",   "pd",  "ru",  "st"}},
  {status::paused,       {".",  ".",  "pd", "ru",  "pd",  "ru", "ru", "ck", ".",  "pd", ".",   "ru", ".",     ".",   ".",   ".",   "st"}},
  {status::checkpointed, {".",  ".",  ".",  ".",   ".",   ".",  ".",  ".",  "ru", ".",  "de",  "de", ".",     ".",   ".",   ".",   "."}},
  {status::stopped,      {".",  ".",  ".",  ".",   ".",   ".",  "st", ".",  ".",  ".",  "de",  "de", ".",     ".",   ".",   ".",   "."}},
  {status::destroyed,    {".",  ".",  ".",  ".",   ".",   ".",  ".",  ".",  ".",  ".",  "de",  "de", ".",     ".",   ".",   ".",   "."}},
}};
// clang-format on

constexpr std::array<std::string_view, status_count> short_names{
  "cg", "cd", "ru", "pg", "pd", "ck", "st", "de"};

} // namespace

TEST_CASE("every status answers every operation as the design says",
          "[lifecycle]") {
  for (const auto& row : expected)
    for (std::size_t i = 0; i < operation_count; ++i) {
      const auto on = static_cast<operation>(i);
      INFO(to_string(row.from) << " + " << to_string(on));
      const auto found = find(row.from, on);
      const auto to = found ? short_names[static_cast<std::size_t>(found->to)]
                            : std::string_view{"."};
      CHECK(to == row.to[i]);
    }
}

TEST_CASE("what is frozen is thawed before it can die", "[lifecycle]") {
  for (const auto from : {status::pausing, status::paused}) {
    CHECK(find(from, operation::kill)->run == effect::kill_thawed);
    CHECK(find(from, operation::stop)->run == effect::terminate_thawed);
    CHECK(find(from, operation::resume)->run == effect::thaw);
  }
}

TEST_CASE("every status has one name, which leads back to it", "[lifecycle]") {
  for (std::size_t i = 0; i < status_count; ++i) {
    const auto x = static_cast<status>(i);
    CHECK(status_named(to_string(x)) == x);
  }
  CHECK(to_string(status::checkpointed) == "checkpointed");
  CHECK_FALSE(status_named("Running").has_value());
  CHECK_FALSE(status_named("").has_value());
}

TEST_CASE("requests come before facts", "[lifecycle]") {
  CHECK_FALSE(is_fact(operation::destroy));
  CHECK(is_fact(operation::launched));
  CHECK(is_fact(operation::exited));
  CHECK(to_string(operation::freeze_failed) == "freeze_failed");
}

} // namespace troupe::lifecycle_test
