#include "config/oci/pressure_trigger.hpp"

#include <catch2/catch.hpp>

namespace troupe::pressure_trigger_test {

using Catch::Contains;

TEST_CASE("pressure triggers are read", "[pressure]") {
  CHECK(parse_pressure_trigger("memory=some:150ms/1s").value()
        == pressure_trigger{"memory", "some", 150'000, 1'000'000});
  CHECK(parse_pressure_trigger("io=full:800us/500ms").value()
        == pressure_trigger{"io", "full", 800, 500'000});
  const auto two = parse_pressure_triggers(
                     "cpu=some:1s/10s,memory=full:1us/10000ms")
                     .value();
  REQUIRE(two.size() == 2);
  CHECK(to_kernel_text(two[0]) == "some 1000000 10000000");
  CHECK(to_kernel_text(two[1]) == "full 1 10000000");
}

TEST_CASE("bad pressure triggers are refused with what was found",
          "[pressure][bad]") {
  for (const auto* text :
       {"", "memory", "memory=some", "memory=some:150ms", "disk=some:1ms/1s",
        "memory=all:1ms/1s", "memory=some:150/1s", "memory=some:-1ms/1s",
        "memory=some:0ms/1s", "memory=some:1ms/1sx", "memory=some:1ms/",
        "memory=some:99999999999999999999s/1s"}) {
    INFO(text);
    const auto parsed = parse_pressure_trigger(text);
    REQUIRE_FALSE(parsed);
    CHECK_THAT(parsed.error().what,
               Contains("memory=some:150ms/1s, found '" + std::string{text}));
  }
  for (const auto* text :
       {"cpu=some:1ms/499ms", "cpu=some:1ms/11s", "cpu=some:2s/1s"})
    CHECK_THAT(parse_pressure_trigger(text).error().what,
               Contains("500ms to 10s"));
  CHECK_FALSE(parse_pressure_triggers("cpu=some:1ms/1s,,"));
}

} // namespace troupe::pressure_trigger_test
