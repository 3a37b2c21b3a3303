#include "actors/gateway/gateway.hpp"

#include "actors/gateway/query.hpp"
#include "actors/gateway/routes.hpp"
#include "actors/reactor.hpp"
#include "actors/system_config.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/unit/actors/gateway_fakes.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <sys/syscall.h>

#include <thread>
#include <unistd.h>

namespace troupe::test {

namespace {

using nlohmann::json;

/// A real gateway, with its own threads, in front of fakes.
class gateway_world {
protected:
  gateway_world() {
    spdlog::set_level(spdlog::level::off);
    scene_->web.id = "web";
    scene_->web.status = lifecycle::status::running;
    scene_->web.pid = 42;
    scene_->web.created = 1'000'000'001;
    scene_->web.annotation_keys = {"a"};
    scene_->web.annotation_values = {"b"};
    scene_->web.log_path = directory_ / "containers/web/log";
    directory_.write("containers/web/log", first_log);
    directory_.write("containers/web/config.json", R"({"ociVersion":"1.0.2"})");
    for (auto seq = 1; seq <= 600; ++seq)
      scene_->events.push_back({seq, 1, "web", seq % 2 ? "odd" : "even",
                                R"({"exit_code":3})", ""});
  }

  ~gateway_world() {
    gateway_.reset();
    for (const auto& each : actors_)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  }

  void start() {
    reactor_ = *reactor::start();
    auto exec = own(system_.spawn(fake_exec, scene_));
    web_ = own(system_.spawn(fake_container, scene_, exec));
    supervisor_ = own(system_.spawn(fake_supervisor, scene_, web_));
    services_->events = own(system_.spawn(fake_event_log, scene_));
    services_->reactor = &reactor_->poller();
    services_->store = store::directory{directory_.path()};
    auto made = gateway::server::start(system_, socket_, supervisor_,
                                       services_);
    REQUIRE(made);
    gateway_ = *std::move(made);
  }

  http_client::answer ask(const std::string& method, const std::string& target,
                          const std::string& body = {}) {
    http_client client{socket_};
    REQUIRE(client.connected());
    return client.ask(method, target, body);
  }

  /// Asks, expects `status`, and returns the parsed body.
  json expect(int status, const std::string& method, const std::string& target,
              const std::string& body = {}) {
    const auto got = ask(method, target, body);
    INFO(method << ' ' << target << ": " << got.body);
    CHECK(got.status == status);
    auto out = json::parse(got.body, nullptr, false);
    REQUIRE_FALSE(out.is_discarded());
    return out;
  }

  template <class Handle>
  Handle own(Handle x) {
    actors_.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
    return x;
  }

  static constexpr auto first_log = "1970-01-01T00:00:01Z stdout F one\n"
                                    "1970-01-01T00:00:02Z stderr P tw\n"
                                    "1970-01-01T00:00:03Z stderr F o\n";

  scratch_directory directory_;
  std::string socket_ = directory_ / "api.sock";
  shared_scene scene_ = std::make_shared<scene>();
  std::shared_ptr<services> services_ = std::make_shared<services>();
  std::unique_ptr<reactor> reactor_;
  system_config config_;
  caf::actor_system system_{config_};
  std::vector<caf::strong_actor_ptr> actors_;
  container_actor web_;
  supervisor_actor supervisor_;
  std::unique_ptr<gateway::server> gateway_;
};

constexpr auto upgrade_headers
  = "Connection: Upgrade\r\nUpgrade: troupe-stream\r\n";

} // namespace

// -- plain requests -----------------------------------------------------------

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
    return expect(400, "POST", to, body)["error"]["message"]
      .get<std::string>();
  };
  CHECK_THAT(message("{"), Catch::Contains("line 1"));
  CHECK_THAT(message(R"({"rootfs":"/r","idd":1})"), Catch::Contains("idd"));
  CHECK_THAT(message(R"({"rootfs":7})"), Catch::StartsWith("/rootfs: "));
  CHECK_THAT(message(R"({"rootfs":"r"})"), Catch::Contains("absolute"));
  CHECK_THAT(message(R"({})"), Catch::StartsWith("/bundle: "));
  CHECK_THAT(message("[]"), Catch::Contains("object"));
  CHECK(expect(409, "POST", to, R"({"id":"web","bundle":"/b"})")["error"]
              ["code"]
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

// -- HTTP ---------------------------------------------------------------------

TEST_CASE_METHOD(gateway_world, "a connection serves many requests") {
  start();
  http_client client{socket_};
  for (auto i = 0; i < 100; ++i)
    REQUIRE(client.ask("GET", "/v1/version").status == 200);
  REQUIRE(client.ask("GET", "/v1/none").status == 404);
  REQUIRE(client.ask("GET", "/v1/events").status == 200);
  const auto head = client.request("HEAD", "/v1/version")
                      ? client.read_head()
                      : http_client::answer{};
  CHECK(head.status == 405);
  CHECK(client.ask("GET", "/v1/version").status == 200);
  CHECK(client.ask("GET", "/v1/version", "", "Connection: close\r\n").status
        == 200);
  CHECK(client.closed());
}

TEST_CASE_METHOD(gateway_world, "what is no HTTP is refused and closed") {
  start();
  const std::string garbage(10U << 20U, '\x81');
  http_client client{socket_};
  client.send(garbage);
  CHECK(client.read().status == 400);
  CHECK(client.closed());
  http_client old{socket_};
  old.send("GET /v1/version HTTP/1.0\r\n\r\n");
  CHECK(old.read().status == 505);
  CHECK(ask("GET", "/v1/version").status == 200);
}

TEST_CASE_METHOD(gateway_world, "what is too long is refused") {
  start();
  http_client head{socket_};
  head.request("GET", "/v1/version", "",
               "X: " + std::string(20'000, 'x') + "\r\n");
  CHECK(head.read().status == 431);
  CHECK(head.closed());
  http_client body{socket_};
  body.request("POST", "/v1/containers", std::string(5U << 20U, ' '));
  CHECK(body.read().status == 413);
  CHECK(body.closed());
  http_client polite{socket_};
  polite.send("POST /v1/containers HTTP/1.1\r\nHost: t\r\n"
              "Content-Length: 15\r\nExpect: 100-continue\r\n\r\n");
  CHECK(polite.read_head().status == 100);
  polite.send(R"({"rootfs":"/r"})");
  CHECK(polite.read().status == 201);
}

TEST_CASE_METHOD(gateway_world, "clients that go away in the middle do no harm") {
  start();
  for (auto i = 0; i < 50; ++i) {
    http_client half{socket_};
    half.send("POST /v1/containers HTTP/1.1\r\nHost: t\r\nContent-Le");
    http_client body{socket_};
    body.send("POST /v1/containers HTTP/1.1\r\nContent-Length: 99\r\n\r\n{");
    http_client waits{socket_};
    waits.request("GET", "/v1/containers/web/wait");
    http_client follows{socket_};
    follows.request("GET", "/v1/events?follow=1");
  }
  CHECK(ask("GET", "/v1/version").status == 200);
}

TEST_CASE_METHOD(gateway_world, "a client that sends no more is answered") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/version");
  client.close_for_writing();
  CHECK(client.read().status == 200);
  CHECK(client.closed());
}

TEST_CASE_METHOD(gateway_world, "only so many connections are served") {
  start();
  std::vector<std::unique_ptr<http_client>> clients;
  for (auto i = 0; i < 1024; ++i) {
    clients.push_back(std::make_unique<http_client>(socket_));
    // An answer means that it is counted.
    if (i % 64 == 63)
      REQUIRE(clients.back()->ask("GET", "/v1/version").status == 200);
  }
  http_client late{socket_};
  CHECK(late.read().status == 503);
  clients.clear();
  for (auto tries = 0; ask("GET", "/v1/version").status != 200; ++tries)
    REQUIRE(tries < 10'000);
}

TEST_CASE_METHOD(gateway_world, "only root and our own user are served") {
  if (::geteuid() != 0)
    return;
  start();
  REQUIRE(::chmod(directory_.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(socket_.c_str(), 0666) == 0);
  auto status = 0;
  // Credentials are a thread's own to the kernel, credentials(7).
  std::thread{[&] {
    ::syscall(SYS_setresuid, -1, 65534, -1);
    http_client client{socket_};
    status = client.read().status;
  }}.join();
  CHECK(status == 403);
}

TEST_CASE_METHOD(gateway_world, "the socket is taken only if nobody has it") {
  start();
  CHECK(gateway::server::start(system_, socket_, supervisor_, services_)
          .error()
          .code
        == fault::already_exists);
  struct stat is {};
  REQUIRE(::stat(socket_.c_str(), &is) == 0);
  CHECK((is.st_mode & 07777) == 0660);
  gateway_.reset();
  CHECK(::stat(socket_.c_str(), &is) != 0);
  {
    http_client stale{socket_};
    CHECK_FALSE(stale.connected());
  }
  const sys::unique_fd left{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::copy(socket_.begin(), socket_.end(), at.sun_path);
  REQUIRE(::bind(left.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  CHECK(gateway::server::start(system_, socket_, supervisor_, services_));
}

// -- waits and streams --------------------------------------------------------

TEST_CASE_METHOD(gateway_world, "wait answers when the container has ended") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/containers/web/wait");
  REQUIRE(scene_->saw("await"));
  expect(200, "POST", "/v1/containers/web/kill?signal=3");
  const auto got = client.read();
  CHECK(got.status == 200);
  CHECK(json::parse(got.body)["exit_code"] == 131);
}

TEST_CASE_METHOD(gateway_world, "wait is told when its container is gone") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/containers/web/wait");
  REQUIRE(scene_->saw("await"));
  caf::anon_send_exit(web_, caf::exit_reason::kill);
  CHECK(client.read().status == 410);
}

TEST_CASE_METHOD(gateway_world, "events are read in pages, and by type") {
  start();
  const auto all = ask("GET", "/v1/events");
  CHECK(std::count(all.body.begin(), all.body.end(), '\n') == 600);
  const auto first = json::parse(all.body.substr(0, all.body.find('\n')));
  CHECK(first["seq"] == 1);
  CHECK(first["exit_code"] == 3);
  const auto last = ask("GET", "/v1/events?since=597&type=odd");
  CHECK(json::parse(last.body)["seq"] == 599);
  CHECK(ask("GET", "/v1/events?since=600").body.empty());
  CHECK(ask("GET", "/v1/events?since=900").body.empty());
}

TEST_CASE_METHOD(gateway_world, "followed events go on with what is new") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/events?follow=1&since=599");
  REQUIRE(client.read_head().status == 200);
  CHECK(json::parse(client.read_chunk())["seq"] == 600);
  for (auto seq = 601; seq < 610; ++seq) {
    caf::anon_send(services_->events,
                   msg::append_events{{{0, 1, "web", "odd", "{}", ""}}});
    CHECK(json::parse(client.read_chunk())["seq"] == seq);
  }
}

TEST_CASE_METHOD(gateway_world, "a slow reader holds one page, not the log") {
  for (auto seq = 601; seq <= 20'000; ++seq)
    scene_->events.push_back(
      {seq, 1, "web", "odd", R"({"x":")" + std::string(1000, 'x') + "\"}", ""});
  start();
  http_client slow{socket_};
  slow.request("GET", "/v1/events");
  REQUIRE(scene_->saw("read 256"));
  // Others are served as if it were not there.
  for (auto i = 0; i < 100; ++i)
    REQUIRE(ask("GET", "/v1/version").status == 200);
  CHECK(scene_->count("read ") < 20);
  const auto all = slow.read();
  CHECK(std::count(all.body.begin(), all.body.end(), '\n') == 20'000);
}

TEST_CASE_METHOD(gateway_world, "logs come as records or as bytes") {
  start();
  const std::string logs = "/v1/containers/web/logs";
  CHECK(ask("GET", logs).body == first_log);
  CHECK(ask("GET", logs + "?format=raw").body == "one\ntwo\n");
  CHECK(ask("GET", logs + "?format=raw&since=2").body == "two\n");
}

TEST_CASE_METHOD(gateway_world, "a followed log grows, and ends with its "
                                "container") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/containers/web/logs?follow=1&format=raw");
  REQUIRE(client.read_head().status == 200);
  CHECK(client.read_chunk() == "one\ntwo\n");
  const auto append = [&](const std::string& text) {
    std::ofstream{scene_->web.log_path, std::ios::app}
      << "1970-01-01T00:00:04Z stdout F " << text << '\n';
  };
  append("three");
  CHECK(client.read_chunk() == "three\n");
  append("four");
  CHECK(client.read_chunk() == "four\n");
  append("five");
  expect(200, "POST", "/v1/containers/web/kill");
  CHECK(client.read_chunk() == "five\n");
  CHECK(client.read_chunk().empty());
  CHECK(client.ask("GET", "/v1/version").status == 200);
}

TEST_CASE_METHOD(gateway_world, "statistics stream until the container ends") {
  start();
  http_client client{socket_};
  client.request("GET", "/v1/containers/web/stats?stream=1");
  REQUIRE(client.read_head().status == 200);
  CHECK(json::parse(client.read_chunk())["cpu_usage_ns"] == 1);
  CHECK(json::parse(client.read_chunk())["cpu_usage_ns"] == 2);
  expect(200, "POST", "/v1/containers/web/kill");
  CHECK(client.read_chunk().empty());
}

// -- attach -------------------------------------------------------------------

TEST_CASE_METHOD(gateway_world, "attach hands over a working socket") {
  start();
  for (const auto* what : {"/v1/containers/web/attach?stdin=1",
                           "/v1/containers/web/exec/e1/attach"}) {
    http_client client{socket_};
    client.request("POST", what, "", upgrade_headers);
    const auto got = client.read_head();
    CHECK(got.status == 101);
    CHECK(got.headers.at("upgrade") == "troupe-stream");
    const auto server = scene_->attached();
    REQUIRE(server);
    CHECK(::send(server->get(), "hello", 5, MSG_NOSIGNAL) == 5);
    CHECK(client.read_exactly(5) == "hello");
    REQUIRE(client.send("echo"));
    char got_back[5]{};
    CHECK(::recv(server->get(), got_back, 4, MSG_WAITALL) == 4);
    CHECK(std::string{got_back} == "echo");
    server->reset();
    CHECK(client.closed());
  }
  CHECK(scene_->saw("attach stdin"));
}

TEST_CASE_METHOD(gateway_world, "attach is refused when it cannot be") {
  start();
  const std::string attach = "/v1/containers/web/attach";
  http_client plain{socket_};
  const auto got = plain.ask("POST", attach);
  CHECK(got.status == 426);
  CHECK(got.headers.at("upgrade") == "troupe-stream");
  CHECK(plain.ask("GET", "/v1/version").status == 200);
  http_client hasty{socket_};
  hasty.send("POST " + attach + " HTTP/1.1\r\n" + upgrade_headers
             + "\r\nhello");
  CHECK(hasty.read().status == 400);
  http_client lost{socket_};
  CHECK(lost.ask("POST", "/v1/containers/no/attach", "", upgrade_headers).status
        == 404);
}

TEST_CASE_METHOD(gateway_world, "attach to what has ended is refused") {
  scene_->web.status = lifecycle::status::stopped;
  start();
  http_client client{socket_};
  CHECK(client.ask("POST", "/v1/containers/web/attach", "", upgrade_headers)
          .status
        == 409);
}

TEST_CASE_METHOD(gateway_world, "a failed attach closes the socket") {
  start();
  http_client client{socket_};
  client.request("POST", "/v1/containers/web/attach", "", upgrade_headers);
  REQUIRE(client.read_head().status == 101);
  scene_->attached(); // and lets go of it
  CHECK(client.closed());
}

// -- the end ------------------------------------------------------------------

TEST_CASE_METHOD(gateway_world, "closing answers those who wait") {
  start();
  http_client waits{socket_};
  waits.request("GET", "/v1/containers/web/wait");
  REQUIRE(scene_->saw("await"));
  http_client follows{socket_};
  follows.request("GET", "/v1/events?follow=1&since=600");
  REQUIRE(follows.read_head().status == 200);
  http_client idle{socket_};
  REQUIRE(idle.ask("GET", "/v1/version").status == 200);
  gateway_.reset();
  CHECK(waits.read().status == 503);
  CHECK(follows.read_chunk().empty());
  CHECK(idle.closed());
}

} // namespace troupe::test
