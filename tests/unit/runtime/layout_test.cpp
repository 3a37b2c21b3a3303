#include "runtime/store/layout.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

namespace troupe::layout_test {

TEST_CASE("a directory gets its version once", "[store]") {
  const test::scratch_directory scratch;
  REQUIRE(store::claim_layout(scratch.path()));
  CHECK(scratch.read("version") == "1\n");
  CHECK(store::claim_layout(scratch.path()));
}

TEST_CASE("a directory of a later version is refused", "[store]") {
  const test::scratch_directory scratch;
  scratch.write("version", "2\n");
  const auto refused = store::claim_layout(scratch.path());
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().what, Catch::Contains("of a later trouped"));
  CHECK(scratch.read("version") == "2\n");
}

TEST_CASE("what is no version is refused", "[store]") {
  const test::scratch_directory scratch;
  for (const auto* text :
       {"", "1", "one\n", "-1\n", "1\n2\n", "4294967296\n"}) {
    scratch.write("version", text);
    const auto refused = store::claim_layout(scratch.path());
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().what, Catch::Contains("expected a number"));
  }
}

} // namespace troupe::layout_test
