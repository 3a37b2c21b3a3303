#include "programs/troupe/detach_keys.hpp"

#include <catch2/catch.hpp>

namespace troupe::detach_keys_test {

using client::detach_keys;

namespace {

detach_keys keys(std::string_view text = detach_keys::usual) {
  return detach_keys::parse(text).value();
}

} // namespace

TEST_CASE("the detach keys are seen, alone and in what is typed", "[detach]") {
  auto x = keys();
  CHECK(x.take("ls\r\x10\x11more") == "ls\r");
  CHECK(x.detached());
}

TEST_CASE("the detach keys may come one by one", "[detach]") {
  auto x = keys();
  CHECK(x.take("\x10").empty());
  CHECK(x.holds());
  CHECK_FALSE(x.detached());
  CHECK(x.take("\x11").empty());
  CHECK(x.detached());
}

TEST_CASE("the first detach key alone is not lost", "[detach]") {
  auto x = keys();
  CHECK(x.take("\x10") == "");
  CHECK(x.release() == "\x10"); // in time
  CHECK_FALSE(x.holds());
  CHECK(x.take("\x10x") == "\x10x");   // something else follows
  CHECK(x.take("\x10\x10") == "\x10"); // twice is once
  CHECK_FALSE(x.holds());
  CHECK(x.take("\x11") == "\x11");
  CHECK_FALSE(x.detached());
}

TEST_CASE("detach keys can be others, or none", "[detach]") {
  auto x = keys("a,b,ctrl-c");
  CHECK(x.take("abab\x03") == "ab");
  CHECK(x.detached());
  auto none = keys("");
  CHECK(none.take("\x10\x11") == "\x10\x11");
  CHECK_FALSE(none.detached());
  CHECK(keys("ctrl-@,ctrl-[,ctrl-_")
          .take(std::string_view{"\0\x1b\x1f", 3})
          .empty());
}

TEST_CASE("detach keys that nobody can type are refused", "[detach][bad]") {
  for (const auto* text : {"ctrl-", "ctrl-1", "ctrl-pp", "ab", "a,,b", "a,",
                           ",a", "alt-x", "\x01"}) {
    INFO(text);
    const auto parsed = detach_keys::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK_THAT(parsed.error().what, Catch::Contains("ctrl-p,ctrl-q"));
  }
}

} // namespace troupe::detach_keys_test
