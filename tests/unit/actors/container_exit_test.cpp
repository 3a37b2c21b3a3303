#include "tests/unit/actors/container_stage.hpp"

#include <cerrno>
#include <cstdio>

namespace troupe::container_exit_test {

using namespace std::chrono_literals;

using lifecycle::status;
using shim::process_state;

namespace {

struct fixture : test::container_stage {
  void await() {
    tell(subject,
         msg::await_exit{own(test::spawn_exit_listener(system, told))});
  }

  std::ptrdiff_t place(const std::string& line) {
    return std::find(log->begin(), log->end(), line) - log->begin();
  }

  std::shared_ptr<std::vector<msg::snapshot>> told
    = std::make_shared<std::vector<msg::snapshot>>();
};

} // namespace

TEST_CASE_METHOD(fixture, "who waits is told, early or late",
                 "[container][exit]") {
  running();
  await();
  await();
  CHECK(told->empty());
  exits("web-1", 7);
  REQUIRE(told->size() == 2);
  CHECK(told->front().exit_code == 7);
  CHECK(told->front().status == status::stopped);
  await();
  REQUIRE(told->size() == 3);
  CHECK(told->back().exit_code == 7);
}

TEST_CASE_METHOD(fixture, "the exit is told, then forgotten by the shim",
                 "[container][exit]") {
  running();
  exits("web-1", 7);
  CHECK(place("event exited") < place("event stopped"));
  CHECK(place("event stopped") < place("forget web-1"));
  CHECK(event_data("exited")
        == R"({"exit_code":7,"oom_killed":false,"signal":0})");
}

TEST_CASE_METHOD(fixture, "nothing is forgotten before the commit",
                 "[container][exit]") {
  running();
  await();
  events->hold = true;
  exits("web-1", 7);
  CHECK(now().status == status::stopped);
  CHECK(told->empty());
  CHECK_FALSE(logged("forget web-1"));
  auto stopping = send(subject, msg::stop{SIGTERM, 1s});
  CHECK_FALSE(answered());
  commit();
  CHECK(told->size() == 1);
  CHECK(logged("forget web-1"));
  CHECK(taken<msg::snapshot>(stopping).exit_code == 7);
}

TEST_CASE_METHOD(fixture, "nothing is forgotten before the disk has it",
                 "[container][exit]") {
  running();
  await();
  const auto here = store.path_of("web-1");
  const auto away = here + "-away";
  REQUIRE(std::rename(here.c_str(), away.c_str()) == 0);
  exits("web-1", 7);
  CHECK(told->size() == 1); // Nobody can wait for a disk.
  pass(3s, 100ms);
  CHECK_FALSE(logged("forget web-1"));
  REQUIRE(std::rename(away.c_str(), here.c_str()) == 0);
  pass(2s, 100ms);
  CHECK(times_logged("forget web-1") == 1);
  CHECK(store.read_state("web-1").value().exit_code == 7);
}

TEST_CASE_METHOD(fixture, "a full disk delays the events, not who waits",
                 "[container][exit]") {
  running();
  await();
  events->failing = os_failure(ENOSPC, "write", "events.db");
  exits("web-1", 7);
  CHECK(told->size() == 1);
  CHECK_FALSE(logged("forget web-1"));
  pass(3s, 100ms);
  CHECK_FALSE(logged("forget web-1"));

  SECTION("it cannot be removed yet, or its exit would be lost") {
    const auto why = refused<msg::snapshot>(subject, msg::remove{});
    CHECK(why.code == fault::exhausted);
    CHECK(now().status == status::stopped);
    CHECK(on_disk("web-1"));
  }

  SECTION("when there is room again, everything is told in order") {
    events->failing.reset();
    pass(1s, 100ms);
    CHECK(
      event_types()
      == std::vector<std::string>{"created", "started", "exited", "stopped"});
    CHECK(logged("forget web-1"));
    CHECK(told->size() == 1);
    ask<msg::snapshot>(subject, msg::remove{});
  }
}

TEST_CASE_METHOD(fixture, "it goes when its end is in the event log",
                 "[container][exit]") {
  running();
  exits("web-1", 7);
  events->failing = os_failure(ENOSPC, "write", "events.db");
  const auto why = refused<msg::snapshot>(subject, msg::remove{});
  CHECK(why.code == fault::exhausted);
  CHECK(on_disk("web-1"));
  auto again = send(subject, msg::remove{});
  CHECK_FALSE(answered());
  events->failing.reset();
  pass(1s, 100ms);
  CHECK(taken<msg::snapshot>(again).status == status::destroyed);
  CHECK(event_types().back() == "destroyed");
  CHECK_FALSE(on_disk("web-1"));
}

TEST_CASE_METHOD(fixture, "an exit that is told again changes nothing",
                 "[container][exit]") {
  running();
  shim->refusals["forget"] = test::plain_reply(fault::timed_out, "busy");
  exits("web-1", 7);
  const auto before = event_types();
  shim->refusals.clear();
  exits("web-1", 7);
  CHECK(event_types() == before);
  CHECK(times_logged("forget web-1") == 2); // The shim has missed the first.
}

TEST_CASE_METHOD(fixture, "a container that never started tells so",
                 "[container][exit]") {
  created();
  ask<msg::snapshot>(subject, msg::kill{SIGKILL, false});
  CHECK(now().status == status::stopped);
  CHECK(now().started == 0);
  CHECK(event_types()
        == std::vector<std::string>{"created", "exited", "stopped"});
}

TEST_CASE_METHOD(fixture, "without a pid namespace the rest is killed too",
                 "[container][exit]") {
  plan.namespaces.clone_flags = 0;
  running();
  exits("web-1", 0);
  CHECK(logged("signal_all 9"));
}

TEST_CASE_METHOD(fixture, "with one the kernel does it", "[container][exit]") {
  running();
  exits("web-1", 0);
  CHECK_FALSE(logged("signal_all 9"));
}

// -- OOM ----------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "an OOM kill is told before the exit",
                 "[container][oom]") {
  running();
  group->oom_kills = 2;

  SECTION("when its notice came early") {
    tell(subject, msg::oom_observed{2, 1});
    CHECK(now().oom_kills == 2);
    CHECK(now().status == status::running);
  }

  SECTION("when it never came") {
  }

  exits("web-1", 137, SIGKILL);
  CHECK(now().oom_killed);
  CHECK(now().oom_kills == 2);
  CHECK(event_types()
        == std::vector<std::string>{"created", "started", "oom", "oom",
                                    "exited", "stopped"});
  CHECK(event_data("oom") == R"({"level":"unknown","oom_kills":1})");
  // What comes late says nothing new.
  tell(subject, msg::oom_observed{2, 1});
  CHECK(event_types().back() == "stopped");
}

TEST_CASE_METHOD(fixture, "who was killed by us has not died of an OOM",
                 "[container][oom]") {
  running();
  group->oom_kills = 1;
  tell(subject, msg::oom_observed{1, 1});
  SECTION("by the signal") {
    ask<msg::snapshot>(subject, msg::kill{SIGKILL, false});
    CHECK(now().exit_signal == SIGKILL);
  }
  SECTION("by another exit") {
    exits("web-1", 3, 0);
  }
  CHECK(now().status == status::stopped);
  CHECK(now().oom_kills == 1);
  CHECK_FALSE(now().oom_killed);
}

TEST_CASE_METHOD(fixture, "each further OOM kill is told", "[container][oom]") {
  running();
  tell(subject, msg::oom_observed{1, 1});
  tell(subject, msg::oom_observed{1, 2});
  tell(subject, msg::oom_observed{2, 3});
  CHECK(event_types()
        == std::vector<std::string>{"created", "started", "oom", "oom"});
}

TEST_CASE_METHOD(fixture, "who survives an OOM kill was not killed by it",
                 "[container][oom]") {
  running();
  group->oom_kills = 1; // Of another process in it.
  exits("web-1", 0);
  CHECK(now().oom_kills == 1);
  CHECK_FALSE(now().oom_killed);
}

TEST_CASE_METHOD(fixture, "a shell that reports 137 was killed in it",
                 "[container][oom]") {
  running();
  group->oom_kills = 1;
  exits("web-1", 137);
  CHECK(now().oom_killed);
}

// -- remove -------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a second removal joins the first",
                 "[container][remove]") {
  stopped();
  shim->held.insert("teardown");
  auto first = send(subject, msg::remove{});
  auto second = send(subject, msg::remove{true});
  CHECK(now().waiting_for == "teardown");
  CHECK_FALSE(answered());
  release();
  CHECK(taken<msg::snapshot>(first).status == status::destroyed);
  CHECK(taken<msg::snapshot>(second).status == status::destroyed);
  CHECK(times_logged("teardown web-1") == 1);
  CHECK(event_types().back() == "destroyed");
}

TEST_CASE_METHOD(fixture, "only what a launcher must undo costs a launcher",
                 "[container][remove]") {
  group->is_empty = true;
  SECTION("nothing is left but empty cgroups") {
    stopped();
    ask<msg::snapshot>(subject, msg::remove{});
    CHECK(logged("remove_if_empty"));
    CHECK_FALSE(logged("teardown web-1"));
  }
  SECTION("there is a poststop hook") {
    plan.hooks.poststop.emplace_back();
    stopped();
    ask<msg::snapshot>(subject, msg::remove{});
    CHECK(logged("teardown web-1"));
  }
  CHECK(event_types().back() == "destroyed");
}

TEST_CASE_METHOD(fixture, "removal of the destroyed succeeds",
                 "[container][remove]") {
  stopped();
  events->hold = true;
  auto first = send(subject, msg::remove{});
  CHECK(now().status == status::destroyed);
  auto second = send(subject, msg::remove{});
  CHECK(refused<msg::snapshot>(subject, msg::start{}).code == fault::destroyed);
  commit();
  CHECK(taken<msg::snapshot>(first).status == status::destroyed);
  CHECK(taken<msg::snapshot>(second).status == status::destroyed);
}

TEST_CASE_METHOD(fixture, "a forced removal kills, and tells the exit first",
                 "[container][remove]") {
  const auto from = GENERATE(values(
    {status::created, status::running, status::pausing, status::paused}));
  INFO(to_string(from));
  reach(from);
  auto removing = send(subject, msg::remove{true});
  CHECK(logged("signal web-1 9"));
  CHECK(group->state == cgroup::freeze_state::thawed);
  CHECK(taken<msg::snapshot>(removing).status == status::destroyed);
  CHECK(place("event exited") < place("teardown web-1"));
  CHECK(place("teardown web-1") < place("event destroyed"));
  CHECK_FALSE(on_disk("web-1"));
}

TEST_CASE_METHOD(fixture, "what waits for start is removed without force",
                 "[container][remove]") {
  created();
  CHECK(ask<msg::snapshot>(subject, msg::remove{}).status == status::destroyed);
}

TEST_CASE_METHOD(fixture, "while it is removed, nothing begins",
                 "[container][remove]") {
  shim->deadly.clear();
  created();
  auto removing = send(subject, msg::remove{});
  CHECK(refused<msg::snapshot>(subject, msg::start{}).what
        == "start container web-1: it is being removed");
  pass(10s, 1s);
  CHECK(refusal<msg::snapshot>(removing).code == fault::timed_out);
  CHECK(now().status == status::created);
}

TEST_CASE_METHOD(fixture, "a failing teardown can be tried again",
                 "[container][remove]") {
  stopped();
  shim->refusals["teardown"] = test::step_reply(
    plan::phase::cgroup_remove, 0, EBUSY, "rmdir /sys/fs/cgroup/x: EBUSY");
  const auto why = refused<msg::snapshot>(subject, msg::remove{});
  CHECK(why.os_errno == EBUSY);
  CHECK(now().status == status::stopped);
  CHECK(now().waiting_for.empty());
  CHECK(now().error.find("EBUSY") != std::string::npos);
  CHECK(on_disk("web-1"));
  shim->refusals.clear();
  CHECK(ask<msg::snapshot>(subject, msg::remove{}).status == status::destroyed);
  CHECK_FALSE(on_disk("web-1"));
}

TEST_CASE_METHOD(fixture, "who waits for what is removed is told of its exit",
                 "[container][remove]") {
  running();
  await();
  ask<msg::snapshot>(subject, msg::remove{true});
  REQUIRE(told->size() == 1);
  CHECK(told->front().status == status::stopped);
  CHECK(told->front().exit_signal == SIGKILL);
}

TEST_CASE_METHOD(fixture, "run --rm removes itself after its end",
                 "[container][remove]") {
  auto x = request();
  x.auto_remove = true;
  running(x);
  await();
  exits("web-1", 4);
  REQUIRE(told->size() == 1);
  CHECK(told->front().exit_code == 4);
  CHECK(ended());
  CHECK_FALSE(on_disk("web-1"));
  CHECK(event_types().back() == "destroyed");
}

TEST_CASE_METHOD(fixture, "removal takes the exec sessions along",
                 "[container][remove]") {
  running();
  auto x = msg::create_exec{};
  x.args = {"sh"};
  const auto session = ask<msg::exec_created>(subject, x).now;
  ask<msg::snapshot>(subject, msg::remove{true});
  const auto key = "web-1/" + session.id;
  CHECK(logged("signal " + key + " 9"));
  CHECK(place("forget " + key) < place("teardown web-1"));
  CHECK(ended());
}

} // namespace troupe::container_exit_test
