#include "actors/oom_watcher.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/system_messages.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::oom_watcher_test {

namespace {

/// A memory cgroup that says what the test says. The notice is a real eventfd,
/// as on v1.
struct memory_cgroup {
  result<std::int64_t> oom_kills = 0;
  int notice = -1; ///< Our own descriptor of it.

  ~memory_cgroup() {
    ::close(notice);
  }

  void ring() const {
    const std::uint64_t one = 1;
    REQUIRE(::write(notice, &one, sizeof one) == sizeof one);
  }
};

class fake_control : public cgroup::control {
public:
  explicit fake_control(memory_cgroup& of) : of_(of) {
  }

  outcome freeze() override {
    return {};
  }

  outcome thaw() override {
    return {};
  }

  result<cgroup::freeze_state> state() override {
    return cgroup::freeze_state::thawed;
  }

  result<std::vector<pid_t>> processes() override {
    return std::vector<pid_t>{};
  }

  outcome signal_all(int) override {
    return {};
  }

  bool remove_if_empty() override {
    return true;
  }

  result<cgroup::stats> read() override {
    return cgroup::stats{};
  }

  result<std::int64_t> oom_kills() override {
    return of_.oom_kills;
  }

  cgroup::oom_origin origin_of_oom(const sys::oom_report*) override {
    return {};
  }

  std::optional<sys::oom_report> take_oom(sys::kernel_log&) override {
    return std::nullopt;
  }

  std::string oom_file() override {
    return {};
  }

  result<oom_notice> watch_oom() override {
    oom_notice out;
    if (of_.notice >= 0)
      out.fd.reset(::fcntl(of_.notice, F_DUPFD_CLOEXEC, 0));
    out.epoll_events = EPOLLIN;
    return out;
  }

private:
  memory_cgroup& of_;
};

struct fixture : test::deterministic {
  fixture() : poller(sys::poller::create().value()) {
    memory.notice = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    // What a container's handle converts from: it answers nothing else here.
    container = own(caf::actor_cast<container_actor>(
      system.spawn([this](caf::event_based_actor*) -> caf::behavior {
        return {[this](const msg::oom_observed& x) {
          observed.push_back(x.oom_kills);
        }};
      })));
  }

  ~fixture() {
    kill_owned();
  }

  void watch() {
    watcher = spawn_oom_watcher(system, {*poller},
                                std::make_unique<fake_control>(memory),
                                container, memory.oom_kills.value_or(0))
                .value();
    own(watcher);
    settle();
  }

  void turn() {
    poller->stop(); // What is ready already is served before.
    poller->run();
    settle();
  }

  void kill_and_ring(std::int64_t kills) {
    memory.oom_kills = kills;
    memory.ring();
    turn();
  }

  std::unique_ptr<sys::poller> poller;
  memory_cgroup memory;
  container_actor container;
  oom_watcher_actor watcher;
  std::vector<std::int64_t> observed;
};

using numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE_METHOD(fixture, "every rise of the counter is told", "[oom]") {
  memory.oom_kills = 2;
  watch();
  CHECK(observed.empty());
  kill_and_ring(3);
  kill_and_ring(3);
  kill_and_ring(7);
  CHECK(observed == numbers{3, 7});
}

TEST_CASE_METHOD(fixture, "a kill before the watch began is told", "[oom]") {
  watcher = spawn_oom_watcher(system, {*poller},
                              std::make_unique<fake_control>(memory), container,
                              0)
              .value();
  own(watcher);
  memory.oom_kills = 1; // After the baseline, before the actor runs.
  settle();
  CHECK(observed == numbers{1});
}

TEST_CASE_METHOD(fixture, "a removed cgroup is watched no more", "[oom]") {
  watch();
  memory.oom_kills = fail_os(ENOENT, "open", "memory.oom_control");
  memory.ring();
  turn();
  kill_and_ring(5);
  CHECK(observed.empty());
}

TEST_CASE_METHOD(fixture, "a host without a memory controller is a failure",
                 "[oom]") {
  ::close(std::exchange(memory.notice, -1));
  const auto spawned = spawn_oom_watcher(
    system, {*poller}, std::make_unique<fake_control>(memory), container, 0);
  REQUIRE_FALSE(spawned);
  CHECK(spawned.error().code == fault::unsupported);
}

TEST_CASE_METHOD(fixture, "the watch ends", "[oom]") {
  watch();
  self->monitor(watcher);
  SECTION("with an exit message") {
    self->send_exit(watcher, caf::exit_reason::normal);
  }
  SECTION("with its container") {
    self->send_exit(container, caf::exit_reason::kill);
  }
  settle();
  CHECK(answered()); // Its down message.
  kill_and_ring(5);
  CHECK(observed.empty());
}

} // namespace troupe::oom_watcher_test
