#include "config/base/clock.hpp"
#include "config/base/container_id.hpp"
#include "config/base/quote.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <set>

namespace troupe::base_test {

TEST_CASE("container ids of the allowed alphabet are returned unchanged") {
  for (const auto* id : {"a", "0", "web-1", "A_b.c+d-e", "9..", "a--"})
    CHECK(checked_id(id).value() == id);
  const std::string longest(max_id_length, 'x');
  CHECK(checked_id(longest).value() == longest);
}

TEST_CASE("other container ids are refused with what is wrong", "[rule-8]") {
  using namespace std::string_view_literals;
  struct row {
    std::string_view id;
    const char* what;
  };
  const std::vector<row> rows{
    {"", "container id '': expected at least one character, found none"},
    {".", "container id '.': expected a letter or digit first, found '.'"},
    {"..", "container id '..': expected a letter or digit first, found '.'"},
    {"-x", "container id '-x': expected a letter or digit first, found '-'"},
    {"a/b", "container id 'a/b': expected letters, digits and _.+- only, "
            "found '/'"},
    {"a b", "container id 'a b': expected letters, digits and _.+- only, "
            "found ' '"},
    {"a\0b"sv, "container id 'a\\x00b': expected letters, digits and _.+- "
               "only, found '\\x00'"},
    {"\xc3\xa4", "container id '\\xc3\\xa4': expected a letter or digit "
                 "first, found '\\xc3'"},
  };
  for (const auto& [id, what] : rows) {
    REQUIRE_FALSE(checked_id(id));
    CHECK(checked_id(id).error().what == what);
    CHECK(checked_id(id).error().code == fault::invalid_config);
  }
  CHECK(checked_id(std::string(max_id_length + 1, 'x'))
          .error()
          .what.ends_with("expected at most 255 bytes, found 256"));
}

TEST_CASE("random ids are valid, and differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto id = random_id();
    CHECK(id.size() == 12);
    CHECK(checked_id(id));
    CHECK(seen.insert(id).second);
  }
}

TEST_CASE("quoted text is printable and bounded") {
  CHECK(quote("a 'b' \\ \n") == "'a \\x27b\\x27 \\x5c \\x0a'");
  CHECK(quote(std::string(81, 'x')) == "'" + std::string(80, 'x') + "...'");
  const std::array<std::string_view, 3> words{"a", "b", "c"};
  CHECK(joined(words) == "a, b, c");
  CHECK(joined({}) == "");
}

TEST_CASE("times are written as RFC 3339 with nine digits") {
  CHECK(rfc3339(0) == "");
  CHECK(rfc3339(1) == "1970-01-01T00:00:00.000000001Z");
  CHECK(rfc3339(1'795'325'023'123'456'789) == "2026-11-22T05:23:43.123456789Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999999999Z");
}

TEST_CASE("what rfc3339 writes parse_time reads") {
  for (const time_ns at : {time_ns{1}, time_ns{1'795'325'023'123'456'789},
                           time_ns{951'782'400'000'000'000}, now_ns()})
    CHECK(parse_time(rfc3339(at)).value() == at);
}

TEST_CASE("parse_time reads fractions, offsets and unix seconds") {
  constexpr time_ns second = 1'000'000'000;
  struct row {
    const char* text;
    time_ns at;
  };
  const std::vector<row> rows{
    {"0", 0},
    {"1", second},
    {"1.5", second + second / 2},
    {"1700000000.000000001", 1'700'000'000 * second + 1},
    {"1970-01-01T00:00:01Z", second},
    {"1970-01-01t00:00:01z", second},
    {"1970-01-01 00:00:01.25Z", second + second / 4},
    {"1970-01-01T00:00:01.1234567899Z", second + 123'456'789},
    {"1970-01-01T01:00:01+01:00", second},
    {"1969-12-31T22:30:01-01:30", second},
    {"2000-02-29T00:00:00Z", 951'782'400 * second},
  };
  for (const auto& [text, at] : rows) {
    CAPTURE(text);
    REQUIRE(parse_time(text));
    CHECK(*parse_time(text) == at);
  }
}

TEST_CASE("parse_time refuses what is no time") {
  for (const auto* text : {"",
                           "x",
                           "-1",
                           "1.",
                           ".5",
                           "1x",
                           "1970-01-01",
                           "1970-01-01T00:00:00",
                           "1970-13-01T00:00:00Z",
                           "2001-02-29T00:00:00Z",
                           "1970-01-01T24:00:00Z",
                           "1970-01-01T00:60:00Z",
                           "1970-01-01T00:00:61Z",
                           "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:00+1:00",
                           "1970-01-01T00:00:00Zx",
                           "1969-12-31T23:59:59Z",
                           "2300-01-01T00:00:00Z",
                           "99999999999",
                           "9999999999"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_time(text));
    CHECK(parse_time(text).error().what.starts_with("time: expected "));
  }
}

TEST_CASE("now is after this test was written") {
  CHECK(now_ns() > parse_time("2026-11-22T00:00:00Z").value()
                     - 4'000'000'000'000'000'000);
  const auto first = now_ns();
  CHECK(now_ns() - first < 60'000'000'000);
}

} // namespace troupe::base_test
