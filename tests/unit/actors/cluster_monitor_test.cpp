// A container's end as somebody on another node hears it: here the container is
// an actor of the test, and the link's loss is its death.

#include "actors/cluster/monitor.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <vector>

namespace troupe::cluster_monitor_test {

namespace {

using heard = std::vector<msg::container_down>;

container_listener_actor::behavior_type
listener(container_listener_actor::pointer,
         const std::shared_ptr<heard>& into) {
  return {[into](const msg::container_down& x) { into->push_back(x); }};
}

/// Somebody who gets `await_exit`, as a container does, and nothing else.
struct waiting {
  std::vector<exit_listener_actor> all;
};

caf::behavior container(caf::event_based_actor*,
                        const std::shared_ptr<waiting>& with) {
  return {
    [with](const msg::await_exit& x) { with->all.push_back(x.listener); }};
}

class fixture : public test::deterministic {
protected:
  fixture()
    : to(own(system.spawn(listener, told))),
      whom(own(system.spawn(container, asked))) {
    cluster::monitor_container(system, "web",
                               caf::actor_cast<container_actor>(whom), to);
    settle();
  }

  ~fixture() {
    kill_owned();
  }

  void end(std::int32_t code, bool oom) {
    msg::snapshot last;
    last.id = "web";
    last.exit_code = code;
    last.oom_killed = oom;
    for (const auto& each : asked->all)
      tell(each, msg::exited{last});
  }

  std::shared_ptr<heard> told = std::make_shared<heard>();
  std::shared_ptr<waiting> asked = std::make_shared<waiting>();
  container_listener_actor to;
  caf::actor whom;
};

} // namespace

TEST_CASE_METHOD(fixture, "a container's end is told once",
                 "[cluster][monitor]") {
  REQUIRE(asked->all.size() == 1);
  CHECK(told->empty());
  end(137, true);
  REQUIRE(told->size() == 1);
  CHECK(told->front().id == "web");
  CHECK(told->front().exit_code == 137);
  CHECK(told->front().oom_killed);
  CHECK_FALSE(told->front().lost);
  caf::anon_send_exit(whom, caf::exit_reason::kill);
  settle();
  CHECK(told->size() == 1);
}

TEST_CASE_METHOD(fixture, "a node that is lost is told, once",
                 "[cluster][monitor]") {
  caf::anon_send_exit(whom, caf::exit_reason::kill);
  settle();
  REQUIRE(told->size() == 1);
  CHECK(told->front().lost);
  end(0, false);
  CHECK(told->size() == 1);
}

TEST_CASE_METHOD(fixture, "who wanted to know may go", "[cluster][monitor]") {
  caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  settle();
  end(3, false);
  CHECK(told->empty());
}

} // namespace troupe::cluster_monitor_test
