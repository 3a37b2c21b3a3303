#include "tests/unit/actors/gateway_world.hpp"

#include <algorithm>
#include <fstream>

namespace troupe::test {

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
  for (auto seq = 601; seq <= 2'600; ++seq)
    scene_->events.push_back(
      {seq, 1, "web", "odd", R"({"x":")" + std::string(4000, 'x') + "\"}", ""});
  start();
  http_client slow{socket_};
  slow.request("GET", "/v1/events");
  REQUIRE(scene_->saw("read 256"));
  // Others are served as if it were not there.
  for (auto i = 0; i < 100; ++i)
    REQUIRE(ask("GET", "/v1/version").status == 200);
  CHECK(scene_->count("read ") < 6);
  const auto all = slow.read();
  CHECK(std::count(all.body.begin(), all.body.end(), '\n') == 2'600);
}

TEST_CASE_METHOD(gateway_world, "logs come as records or as bytes") {
  start();
  const std::string logs = "/v1/containers/web/logs";
  CHECK(ask("GET", logs).body == first_log);
  CHECK(ask("GET", logs + "?format=raw").body == "one\ntwo\n");
  CHECK(ask("GET", logs + "?format=raw&since=2").body == "two\n");
  CHECK(ask("GET", logs + "?format=raw&until=1").body == "one\n");
  CHECK(ask("GET", logs + "?format=raw&stream=stderr").body == "two\n");
  CHECK(ask("GET", logs + "?stream=other").status == 400);
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

TEST_CASE_METHOD(gateway_world, "attach says how the client is to be served") {
  start();
  http_client client{socket_};
  client.request("POST",
                 "/v1/containers/web/attach?overflow=drop&replay=4096&raw=1",
                 "", upgrade_headers);
  REQUIRE(client.read_head().status == 101);
  CHECK(scene_->saw("attach 1 1 4096"));
  CHECK(scene_->attached());
  http_client wrong{socket_};
  CHECK(wrong
          .ask("POST", "/v1/containers/web/attach?overflow=maybe", "",
               upgrade_headers)
          .status
        == 400);
}

TEST_CASE_METHOD(gateway_world, "attach comes as a WebSocket, too") {
  start();
  // RFC 6455, section 1.3.
  constexpr auto handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                             "Sec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  http_client client{socket_};
  client.request("GET", "/v1/containers/web/attach", "", handshake);
  const auto got = client.read_head();
  CHECK(got.status == 101);
  CHECK(got.headers.at("upgrade") == "websocket");
  CHECK(got.headers.at("sec-websocket-accept")
        == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(scene_->saw("attach 2 0 0"));
  const auto server = scene_->attached();
  REQUIRE(server);
  CHECK(::send(server->get(), "hello", 5, MSG_NOSIGNAL) == 5);
  CHECK(client.read_exactly(5) == "hello");

  http_client plain{socket_};
  CHECK(plain.ask("GET", "/v1/containers/web/attach").status == 426);
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
  CHECK(
    client.ask("POST", "/v1/containers/web/attach", "", upgrade_headers).status
    == 409);
}

TEST_CASE_METHOD(gateway_world, "a failed attach closes the socket") {
  start();
  http_client client{socket_};
  client.request("POST", "/v1/containers/web/attach", "", upgrade_headers);
  REQUIRE(client.read_head().status == 101);
  scene_->attached().reset();
  CHECK(client.closed());
}

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
