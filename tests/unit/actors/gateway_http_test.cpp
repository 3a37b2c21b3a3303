#include "tests/unit/actors/gateway_world.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace troupe::test {

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

TEST_CASE_METHOD(gateway_world,
                 "clients that go away in the middle do no harm") {
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

TEST_CASE_METHOD(gateway_world, "only root and our own user are served",
                 "[rule-9]") {
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

TEST_CASE_METHOD(gateway_world, "the socket is taken only if nobody has it",
                 "[rule-9]") {
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

} // namespace troupe::test
