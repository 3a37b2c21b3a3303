#include "config/run_options.hpp"

#include <catch2/catch.hpp>

namespace troupe::size_test {

TEST_CASE("sizes are read in docker's units") {
  struct row {
    const char* text;
    std::int64_t bytes;
  };
  const std::vector<row> rows{
    {"0", 0},           {"512", 512},        {"512b", 512},
    {"1k", 1024},       {"64m", 64 << 20},   {"64M", 64 << 20},
    {"64mb", 64 << 20}, {"64MiB", 64 << 20}, {"1.5g", 3LL << 29},
    {"2t", 2LL << 40},  {"0.5k", 512},       {"8388607t", 8388607LL << 40},
  };
  for (const auto& [text, bytes] : rows) {
    CAPTURE(text);
    REQUIRE(parse_size(text));
    CHECK(*parse_size(text) == bytes);
  }
}

TEST_CASE("what is no size is refused", "[rule-8]") {
  for (const auto* text :
       {"", "m", "-1", "1x", "1.2.3", ".5k", "5.k", "1 m", "1e3", "0x10", "+1",
        "8388608t", "99999999999999999999", "inf", "nan", "1mbb", "."}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_size(text));
    CHECK(parse_size(text).error().what.starts_with("size: expected "));
  }
}

} // namespace troupe::size_test
