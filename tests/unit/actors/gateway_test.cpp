#include "actors/gateway/routes.hpp"
#include "tests/unit/actors/gateway_world.hpp"

namespace troupe::test {

TEST_CASE_METHOD(gateway_world, "the gateway answers what it knows itself") {
  start();
  CHECK(ask("GET", "/v1/_health").body == "ok\n");
  CHECK(expect(200, "GET", "/v1/version")["api"] == 1);
  CHECK(expect(200, "GET", "/")["routes"].size() == gateway::routes().size());
  CHECK(expect(200, "GET", "/v1/info")["cgroup_mode"] == "hybrid");
}

TEST_CASE_METHOD(gateway_world, "every container operation reaches its actor") {
  start();
  const std::string web = "/v1/containers/web";
  CHECK(expect(200, "GET", "/v1/containers").size() == 1);
  CHECK(expect(200, "GET", "/v1/containers?all=1").size() == 2);
  const auto seen = expect(200, "GET", web);
  CHECK(seen["status"] == "running");
  CHECK(seen["exit_code"].is_null());
  CHECK(seen["started"].is_null());
  CHECK(seen["created"] == "1970-01-01T00:00:01.000000001Z");
  CHECK(seen["annotations"]["a"] == "b");
  expect(200, "POST", web + "/start");
  expect(200, "POST", web + "/stop?timeout=1.5&signal=SIGINT");
  CHECK(scene_->saw("stop 2 1500000000"));
  CHECK(expect(200, "GET", web + "/top")[0]["pid"] == 7);
  const auto stats = expect(200, "GET", web + "/stats");
  CHECK(stats["cpu_usage_ns"] == 1);
  CHECK(stats["memory_limit"].is_null());
  CHECK(stats["pids_current"].is_null());
  CHECK(expect(200, "GET", web + "/config")["ociVersion"] == "1.0.2");
  CHECK(expect(404, "GET", web + "/plan")["error"]["errno"] == "ENOENT");
  CHECK(expect(200, "POST", web + "/kill?all=1")["exit_code"] == 137);
  CHECK(scene_->saw("kill 9 all"));
  CHECK(expect(200, "GET", web + "/wait")["exit_code"] == 137);
  expect(200, "DELETE", web + "?force=true");
  CHECK(scene_->saw("remove force"));
}

TEST_CASE_METHOD(gateway_world, "every exec operation reaches its actor") {
  start();
  const std::string exec = "/v1/containers/web/exec";
  CHECK(expect(201, "POST", exec, R"({"args":["ls"],"user":"1"})")["id"]
        == "e1");
  CHECK(scene_->saw("exec ls 1"));
  CHECK(expect(200, "GET", exec + "/e1")["exit_code"].is_null());
  CHECK(expect(200, "POST", exec + "/e1/start")["status"] == "running");
  http_client waiter{socket_};
  waiter.request("GET", exec + "/e1/wait");
  REQUIRE(scene_->saw("exec await"));
  expect(200, "POST", exec + "/e1/kill?signal=TERM");
  CHECK(json::parse(waiter.read().body)["exit_code"] == 143);
  expect(200, "DELETE", exec + "/e1");
  CHECK(expect(404, "GET", exec + "/e2")["error"]["code"] == "not_found");
}

TEST_CASE_METHOD(gateway_world, "create takes a strict document") {
  start();
  const std::string to = "/v1/containers";
  expect(201, "POST", to,
         R"({"id":"a","rootfs":"/r","options":{"memory":5},"spec":null})");
  CHECK(scene_->saw(R"(create /r {"memory":5})"));
  const auto message = [&](const std::string& body) {
    return expect(400, "POST", to, body)["error"]["message"].get<std::string>();
  };
  CHECK_THAT(message("{"), Catch::Contains("line 1"));
  CHECK_THAT(message(R"({"rootfs":"/r","idd":1})"), Catch::Contains("idd"));
  CHECK_THAT(message(R"({"rootfs":7})"), Catch::StartsWith("/rootfs: "));
  CHECK_THAT(message(R"({"rootfs":"r"})"), Catch::Contains("absolute"));
  CHECK_THAT(message(R"({})"), Catch::StartsWith("/bundle: "));
  CHECK_THAT(message("[]"), Catch::Contains("object"));
  CHECK(
    expect(409, "POST", to, R"({"id":"web","bundle":"/b"})")["error"]["code"]
    == "already_exists");
}

TEST_CASE_METHOD(gateway_world, "a wrong request is told what is wrong") {
  start();
  const auto message = [&](int status, const std::string& method,
                           const std::string& target) {
    return expect(status, method, target)["error"]["message"]
      .get<std::string>();
  };
  const std::string web = "/v1/containers/web";
  CHECK_THAT(message(400, "GET", web + "/logs?tial=3"),
             Catch::Contains("tial") && Catch::Contains("tail"));
  CHECK_THAT(message(400, "GET", web + "/logs?tail=-3"),
             Catch::Contains("tail") && Catch::Contains("-3"));
  CHECK_THAT(message(400, "GET", web + "/logs?format=xml"),
             Catch::Contains("cri"));
  CHECK_THAT(message(400, "GET", web + "/logs?since=never"),
             Catch::Contains("since"));
  CHECK_THAT(message(400, "POST", web + "/kill?signal=TREM"),
             Catch::Contains("TREM"));
  CHECK_THAT(message(400, "POST", web + "/stop?timeout=nan"),
             Catch::Contains("timeout"));
  CHECK_THAT(message(400, "DELETE", web + "?force=1&force=1"),
             Catch::Contains("twice"));
  CHECK_THAT(message(400, "GET", web + "?force=%zz"), Catch::Contains("%"));
  CHECK_THAT(message(404, "GET", "/v2/containers"), Catch::Contains("/v2"));
  CHECK_THAT(message(404, "GET", "/v1/containers/nobody"),
             Catch::Contains("nobody"));
  CHECK_THAT(message(405, "PUT", web), Catch::Contains("GET, DELETE"));
  CHECK(ask("PUT", web).headers["allow"] == "GET, DELETE");
  CHECK(expect(409, "POST", web + "/pause")["error"]["code"] == "wrong_state");
  CHECK(expect(507, "POST", web + "/unpause")["error"]["errno"] == "ENOSPC");
  CHECK(expect(400, "POST", web + "/start", "[1]")["error"]["code"]
        == "invalid_config");
}

TEST_CASE_METHOD(gateway_world, "shutdown passes on what it is asked") {
  start();
  expect(200, "POST", "/v1/shutdown?stop_containers=1&timeout=3");
  CHECK(scene_->saw("shut down all"));
}

} // namespace troupe::test
