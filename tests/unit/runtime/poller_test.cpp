#include "runtime/linux/poller.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace troupe::poller_test {

namespace {

struct call {
  sys::poller::token token;
  std::uint32_t events;
};

struct fixture {
  fixture() : poller(sys::poller::create().value()) {
  }

  sys::unique_fd counter(unsigned initial = 0) {
    return sys::unique_fd{::eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK)};
  }

  static void ring(int fd) {
    const std::uint64_t one = 1;
    REQUIRE(::write(fd, &one, sizeof one) == sizeof one);
  }

  sys::poller::callback noted() {
    return [this](sys::poller::token token, std::uint32_t events) {
      calls.push_back({token, events});
    };
  }

  /// Serves what is ready now.
  std::size_t serve() {
    calls.clear();
    poller->stop();
    poller->run();
    return calls.size();
  }

  std::unique_ptr<sys::poller> poller;
  std::vector<call> calls;
};

} // namespace

TEST_CASE_METHOD(fixture, "a ready descriptor calls back with its token",
                 "[poller]") {
  const auto quiet = counter();
  const auto ready = counter(1);
  REQUIRE(poller->watch(quiet.get(), EPOLLIN, noted()));
  const auto token = poller->watch(ready.get(), EPOLLIN, noted());
  REQUIRE(token);
  REQUIRE(serve() == 1);
  CHECK(calls[0].token == *token);
  CHECK(calls[0].events == EPOLLIN);
}

TEST_CASE_METHOD(fixture, "a watch is silent until it is armed again",
                 "[poller]") {
  const auto fd = counter(1);
  const auto token = poller->watch(fd.get(), EPOLLIN, noted()).value();
  CHECK(serve() == 1);
  CHECK(serve() == 0);
  REQUIRE(poller->arm(token, EPOLLIN | EPOLLOUT));
  REQUIRE(serve() == 1);
  CHECK(calls[0].events == (EPOLLIN | EPOLLOUT));
  CHECK(serve() == 0);
}

TEST_CASE_METHOD(fixture, "a forgotten watch reaches nobody", "[poller]") {
  const auto fd = counter(1);
  const auto token = poller->watch(fd.get(), EPOLLIN, noted()).value();
  poller->forget(token);
  CHECK(serve() == 0);
  const auto armed = poller->arm(token, EPOLLIN);
  REQUIRE_FALSE(armed);
  CHECK(armed.error().code == fault::not_found);
  poller->forget(token);
}

TEST_CASE_METHOD(fixture, "a call-back can forget the watch after it",
                 "[poller]") {
  const auto first = counter(1);
  const auto second = counter(1);
  sys::poller::token other = 0;
  REQUIRE(
    poller->watch(first.get(), EPOLLIN, [&](sys::poller::token, std::uint32_t) {
      calls.push_back({});
      poller->forget(other);
    }));
  other = poller->watch(second.get(), EPOLLIN, noted()).value();
  CHECK(serve() == 1);
}

TEST_CASE_METHOD(fixture, "what a call-back owns may call the poller",
                 "[poller]") {
  struct owner {
    sys::poller* poller;
    sys::poller::token token;
    ~owner() {
      poller->forget(token);
    }
  };
  const auto fd = counter();
  auto owned = std::make_shared<owner>(owner{poller.get(), 0});
  const auto token
    = poller->watch(fd.get(), EPOLLIN, [owned](auto, auto) {}).value();
  owned->token = token;
  owned.reset();
  poller->forget(token);
  CHECK_FALSE(poller->arm(token, EPOLLIN));
}

TEST_CASE_METHOD(fixture, "a file that cannot be watched is a failure",
                 "[poller]") {
  const sys::unique_fd file{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const auto regular = poller->watch(file.get(), EPOLLIN, noted());
  REQUIRE_FALSE(regular);
  CHECK(regular.error().os_errno == EPERM);
  CHECK_FALSE(poller->watch(-1, EPOLLIN, noted()));
  CHECK(serve() == 0);
}

TEST_CASE_METHOD(fixture, "a poller serves watches made while it waits",
                 "[poller]") {
  std::thread serving{[this] { poller->run(); }};
  const auto fd = counter();
  sys::poller::token seen = 0;
  const auto token = poller->watch(
    fd.get(), EPOLLIN, [&](sys::poller::token which, std::uint32_t) {
      seen = which;
      poller->stop();
    });
  ring(fd.get());
  serving.join();
  REQUIRE(token);
  CHECK(seen == *token);
}

TEST_CASE_METHOD(fixture, "a watched descriptor ends with its watch",
                 "[poller]") {
  int number = -1;
  {
    auto watched
      = sys::watched_fd::watch(*poller, counter(1), EPOLLIN, noted()).value();
    number = watched.get();
    auto moved = std::move(watched);
    CHECK_FALSE(watched);
    CHECK(serve() == 1);
    CHECK(moved.drain());
    REQUIRE(moved.arm(EPOLLIN));
    CHECK(serve() == 0);
    ring(moved.get());
    CHECK(serve() == 1);
    REQUIRE(moved.arm(EPOLLIN));
  }
  CHECK(::fcntl(number, F_GETFD) == -1);
  CHECK(serve() == 0);
}

} // namespace troupe::poller_test
