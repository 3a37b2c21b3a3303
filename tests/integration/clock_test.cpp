// The clock is set while containers run: spans of time stay what they are.

#include "tests/support/running_host.hpp"
#include "tests/support/skipped.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>

namespace troupe::clock_test {

using nlohmann::json;
using test::nothing;

namespace {

constexpr auto day = 24 * 60 * 60;

/// Sets CLOCK_REALTIME, and back at the end.
class jump {
public:
  void by(time_t seconds) {
    timespec now{};
    REQUIRE(::clock_gettime(CLOCK_REALTIME, &now) == 0);
    now.tv_sec += seconds;
    REQUIRE(::clock_settime(CLOCK_REALTIME, &now) == 0);
    total_ += seconds;
  }
  jump() = default;
  jump(const jump&) = delete;
  jump& operator=(const jump&) = delete;
  ~jump() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= total_;
    ::clock_settime(CLOCK_REALTIME, &now);
  }

private:
  time_t total_ = 0;
};

} // namespace

TEST_CASE_METHOD(test::running_host, "a clock that jumps loses nothing",
                 "[clock][survive]") {
  if (!std::getenv("TROUPE_TEST_OWN_CLOCK"))
    return test::skipped("the clock is not this machine's to set: tests/vm");
  const auto seconds = GENERATE(+day, -day);
  CAPTURE(seconds);
  jump clock;
  REQUIRE(run_detached("web", "while :; do sleep 0.1; done").exit_code == 0);
  auto session = host
                   .troupe(
                     {"exec", "-d", "--timeout", "60", "web", "sh", "-c",
                      "while ! [ -e /tmp/go ]; do sleep 0.1; done; exit 4"})
                   .out;
  session.pop_back();
  clock.by(seconds);
  SECTION("under a supervisor that goes on") {
  }
  SECTION("under one that is killed") {
    host.kill_supervisor();
    host.start();
  }
  REQUIRE(host.troupe({"exec", "web", "sh", "-c", ": > /tmp/go"}).exit_code
          == 0);
  CHECK(host.troupe({"exec", "wait", "web", session}).out == "4\n");

  const auto over = host.troupe(
    {"exec", "--timeout", "1", "web", "sh", "-c", "sleep 100"});
  CHECK(over.exit_code != 0);
  CHECK(host.troupe({"stop", "--time", "1", "web"}).exit_code == 0);
  std::istringstream told{host.troupe({"events", "--format", "json"}).out};
  auto number = 0;
  for (std::string line; std::getline(told, line);)
    CHECK(json::parse(line)["seq"] == ++number);
  CHECK(host.troupe({"rm", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::clock_test
