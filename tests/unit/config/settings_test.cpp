#include "config/settings.hpp"

#include <catch2/catch.hpp>

namespace troupe::settings_test {

namespace {

std::string complaint(std::string_view text) {
  const auto parsed = parse_settings(text);
  return parsed ? "" : parsed.error().what;
}

} // namespace

TEST_CASE("an empty settings file keeps what was there") {
  CHECK(parse_settings("{}").value() == settings{});
  settings base;
  base.threads = 7;
  CHECK(parse_settings("{}", base).value() == base);
}

TEST_CASE("every setting can be set") {
  const auto parsed = parse_settings(R"({
    "root": "/r", "state": "/s", "socket": "/x.sock", "shim": "/bin/shim",
    "cgroup_parent": "/c", "log_level": "debug", "log_format": "json",
    "threads": 4, "log_max_size": 4096, "log_max_files": 1,
    "log_driver": "json-file", "replay_size": 7,
    "stop_timeout_ms": 1, "launch_timeout_ms": 2, "freeze_timeout_ms": 3,
    "launches_at_once": 5, "launch_queue": 6, "event_max_count": 8, "event_max_age_s": 9})");
  REQUIRE(parsed);
  settings expected;
  expected.root = "/r";
  expected.state = "/s";
  expected.socket = "/x.sock";
  expected.shim = "/bin/shim";
  expected.cgroup_parent = "/c";
  expected.log_level = "debug";
  expected.log_format = "json";
  expected.threads = 4;
  expected.log_max_size = 4096;
  expected.log_max_files = 1;
  expected.log_driver = "json-file";
  expected.replay_size = 7;
  expected.stop_timeout_ms = 1;
  expected.launch_timeout_ms = 2;
  expected.freeze_timeout_ms = 3;
  expected.launches_at_once = 5;
  expected.launch_queue = 6;
  expected.event_max_count = 8;
  expected.event_max_age_s = 9;
  CHECK(*parsed == expected);
}

TEST_CASE("a bad settings file is refused with pointer and what is allowed") {
  struct row {
    const char* text;
    const char* what;
  };
  const std::vector<row> rows{
    {"[]", "document: expected an object, found array"},
    {R"({"threads": "4"})",
     "/threads: expected an integer from 0 to 4294967295, found string"},
    {R"({"threads": 0})", "/threads: expected an integer from 1 to 1024, "
                          "found 0"},
    {R"({"spare_launchers": 17})",
     "/spare_launchers: expected an integer from 0 to 16, found 17"},
    {R"({"log_level": "loud"})",
     "/log_level: expected one of trace, debug, info, warn, error, off, found "
     "'loud'"},
    {R"({"log_format": "xml"})",
     "/log_format: expected one of text, json, found 'xml'"},
    {R"({"root": "run"})", "/root: expected an absolute path, found 'run'"},
    {R"({"state": ""})", "/state: expected an absolute path, found ''"},
    {R"({"cgroup_parent": "/a/.."})",
     "/cgroup_parent: expected a path without '..', found '/a/..'"},
    {R"({"log_max_size": 4095})",
     "/log_max_size: expected an integer from 4096 to 1099511627776, found "
     "4095"},
    {R"({"launch_timeout_ms": 0})",
     "/launch_timeout_ms: expected an integer from 1 to 86400000, found 0"},
  };
  for (const auto& [text, what] : rows)
    CHECK(complaint(text) == what);
  CHECK_THAT(complaint(R"({"thread": 1})"),
             Catch::StartsWith("/thread: expected one of root, state, ")
               && Catch::EndsWith("cluster, found an unknown key"));
  CHECK_THAT(complaint("{"), Catch::StartsWith("line 1, column 2: "));
}

TEST_CASE("settings that a command line changed can be checked again") {
  settings x;
  CHECK(validate(x));
  x.root = "relative";
  CHECK(validate(x).error().what
        == "/root: expected an absolute path, found 'relative'");
}

} // namespace troupe::settings_test
