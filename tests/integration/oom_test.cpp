// Out of memory: every kill counted, told before the exit, and blamed on whom
// it should be.

#include "config/run_options.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::oom_test {

using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

bool has_memory_controller() {
  const auto host = sys::probe_host("/x");
  return host.v1_mounts.contains("memory")
         || std::ranges::count(host.v2_controllers, "memory") > 0;
}

/// How a container comes to its end, and what is to be said of it.
struct ending {
  const char* script;
  int exit_code;
  bool oom_killed;
  int least_kills;
};

constexpr auto eat = "tail /dev/zero";

const std::vector<ending> endings{
  {"exec tail /dev/zero", 137, true, 1}, // init itself
  {"tail /dev/zero; exit 3", 3, false, 1},
  {"tail /dev/zero; exit $?", 137, true, 1},
  {"trap \"exit 143\" TERM; tail /dev/zero; kill -TERM $$", 143, false, 1},
  {"exit 4", 4, false, 0},
  {"tail /dev/zero & wait; exit 5", 5, false, 1},
};

struct fixture {
  fixture() {
    host.start();
  }

  void run(test::http_client& api, const std::string& id,
           const std::string& script, const std::string& memory = "8m") {
    const auto made = api.ask("POST", "/v1/containers",
                              json{{"id", id},
                                   {"rootfs", root.path()},
                                   {"options",
                                    {{"args", {"sh", "-c", script}},
                                     {"memory", parse_size(memory).value()}}}}
                                .dump());
    INFO(made.body);
    REQUIRE(made.status == 201);
    REQUIRE(api.ask("POST", "/v1/containers/" + id + "/start").status == 200);
  }

  json wait(test::http_client& api, const std::string& id) {
    return json::parse(api.ask("GET", "/v1/containers/" + id + "/wait").body);
  }

  std::vector<json> events(const std::string& query) {
    std::vector<json> out;
    std::istringstream lines{host.curl("/v1/events?" + query).out};
    for (std::string line; std::getline(lines, line);)
      out.push_back(json::parse(line));
    return out;
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "200 containers run out of memory, each its own way",
                 "[e2e][oom]") {
  if (!has_memory_controller())
    return;
  constexpr auto count = 200;
  test::http_client api{host.socket()};
  const auto name = [](int i) { return "oom-" + std::to_string(i); };
  const auto how = [](int i) { return endings.at(i % endings.size()); };
  for (auto i = 0; i < count; ++i)
    run(api, name(i), how(i).script);
  for (auto i = 0; i < count; ++i) {
    const auto ended = wait(api, name(i));
    INFO(how(i).script << "\n" << ended.dump(1));
    CHECK(ended.at("exit_code") == how(i).exit_code);
    CHECK(ended.at("oom_killed") == how(i).oom_killed);
    CHECK(ended.at("oom_kills") >= how(i).least_kills);
    if (how(i).least_kills == 0)
      CHECK(ended.at("oom_kills") == 0);
  }
  // In each container's order: its kills, one by one, then the end.
  std::map<std::string, std::vector<std::string>> orders;
  std::map<std::string, int> kills;
  for (const auto& each : events("")) {
    const auto id = each.at("container").get<std::string>();
    const auto type = each.at("type").get<std::string>();
    orders[id].push_back(type);
    if (type != "oom")
      continue;
    CHECK(each.at("oom_kills") == ++kills[id]);
    CHECK(each.at("level") == "container");
    CHECK(each.at("limit") == 8 << 20);
    CHECK_THAT(each.at("cgroup").get<std::string>(), Catch::EndsWith(id));
    if (each.contains("victim"))
      CHECK(each.at("/victim/command"_json_pointer) == "tail");
  }
  for (auto i = 0; i < count; ++i) {
    std::vector<std::string> expected{"created", "started"};
    expected.insert(expected.end(), kills[name(i)], "oom");
    expected.insert(expected.end(), {"exited", "stopped"});
    CHECK(orders[name(i)] == expected);
  }
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a kill of ours is not a kill for want of memory",
                 "[e2e][oom]") {
  if (!has_memory_controller())
    return;
  test::http_client api{host.socket()};
  run(api, "web", std::string{eat} + "; sleep 1000");
  const auto stream = host.troupe_background(
    {"events", "--follow", "--container", "web", "--type", "oom"});
  REQUIRE(stream->wait_for_output("oom_kills=1"));
  REQUIRE(host.troupe({"kill", "web"}).exit_code == 0);
  const auto ended = wait(api, "web");
  CHECK(ended.at("exit_code") == 137);
  CHECK(ended.at("oom_kills") == 1);
  CHECK(ended.at("oom_killed") == false);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an exec session that runs out is its container's",
                 "[e2e][oom]") {
  if (!has_memory_controller())
    return;
  test::http_client api{host.socket()};
  run(api, "web", "sleep 1000");
  const auto did = host.troupe({"exec", "web", "sh", "-c", "tail /dev/zero"});
  CHECK(did.exit_code == 137);
  const auto now = host.inspect("web");
  CHECK(now.at("status") == "running");
  CHECK(host.troupe({"stop", "-t", "0", "web"}).exit_code == 0);
  const auto ended = host.inspect("web");
  CHECK(ended.at("oom_kills") == 1);
  CHECK(ended.at("oom_killed") == false);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a stream of kills ends with its container",
                 "[e2e][oom]") {
  if (!has_memory_controller())
    return;
  test::http_client api{host.socket()};
  run(api, "web", std::string{eat} + "; exit 0");
  REQUIRE(wait(api, "web").at("exit_code") == 0);
  test::background stream{
    {"curl", "-sSN", "--unix-socket", host.socket(),
     "http://t/v1/containers/web/events?follow=1&type=oom"}};
  REQUIRE(stream.wait_for_output(R"("oom_kills":1)"));
  REQUIRE(host.troupe({"rm", "web"}).exit_code == 0);
  CHECK(stream.wait() == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::oom_test
