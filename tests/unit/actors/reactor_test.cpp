#include "actors/reactor.hpp"
#include "actors/system_config.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::reactor_test {

using namespace std::chrono_literals;

namespace {

/// The status file of this process's thread `name`, "" if there is none.
std::string status_of_thread(const std::string& name) {
  for (const auto& each :
       std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::ifstream in{each.path() / "status"};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (text.starts_with("Name:\t" + name + "\n"))
      return text;
  }
  return {};
}

} // namespace

TEST_CASE("readiness becomes a message to the descriptor's owner",
          "[reactor]") {
  const sys::unique_fd fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  system_config config;
  caf::actor_system system{config};
  const caf::scoped_actor self{system};
  const auto reactor = troupe::reactor::start().value();
  const auto owner = system.spawn(
    [target = caf::actor{self}]() -> fd_owner_actor::behavior_type {
      return {[=](const msg::fd_ready& x) { caf::anon_send(target, x); }};
    });
  const auto token
    = reactor->poller().watch(fd.get(), EPOLLIN, notify(owner)).value();
  const std::uint64_t one = 1;
  REQUIRE(::write(fd.get(), &one, sizeof one) == sizeof one);
  auto heard = false;
  self->receive(
    [&](const msg::fd_ready& x) {
      heard = true;
      CHECK(x.token == token);
      CHECK(x.events == EPOLLIN);
    },
    caf::after(30s) >> [] {});
  CHECK(heard);
  reactor->poller().forget(token);
  self->send_exit(owner, caf::exit_reason::user_shutdown);
}

TEST_CASE("no signal reaches the reactor's thread", "[reactor]") {
  sigset_t before;
  REQUIRE(pthread_sigmask(SIG_BLOCK, nullptr, &before) == 0);
  const auto reactor = troupe::reactor::start().value();
  std::string status;
  while (status.empty()) // The thread names itself as soon as it runs.
    status = status_of_thread("troupe.reactor");
  // All but SIGKILL, SIGSTOP and glibc's own 32 and 33.
  CHECK_THAT(status, Catch::Contains("SigBlk:\tfffffffe7ffbfeff"));
  sigset_t after;
  REQUIRE(pthread_sigmask(SIG_BLOCK, nullptr, &after) == 0);
  CHECK(sigismember(&after, SIGTERM) == sigismember(&before, SIGTERM));
}

} // namespace troupe::reactor_test
