#include "tests/unit/actors/container_stage.hpp"

#include <cerrno>

namespace troupe::container_launch_test {

using namespace std::chrono_literals;

using lifecycle::status;
using shim::process_state;

namespace {

struct fixture : test::container_stage {
  /// Whether the actor has ended.
  bool gone() {
    self->monitor(subject);
    settle();
    auto down = false;
    if (self->has_next_message())
      self->receive([&](const caf::down_msg&) { down = true; });
    return down;
  }

  failure create_fails() {
    spawn();
    const auto why = refused<msg::snapshot>(subject, request());
    CHECK(ended());
    CHECK(gone());
    return why;
  }
};

} // namespace

// -- create -------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a launch waits for its turn",
                 "[container][create]") {
  std::vector<launch_gate::turn> others;
  for (auto i = 0; i < 64; ++i)
    others.push_back(with->gate->enter([] {}).value());
  const auto before = with->gate->enter([] {}).value();
  spawn();
  auto creating = send(subject, request());
  CHECK(now().waiting_for == "launch: 1 launches before it");
  CHECK(now().waiting_since == now().created);
  CHECK_FALSE(logged("launch web-1"));

  SECTION("that comes") {
    others[0].leave();
    pass(1s, 1s);
    CHECK(now().waiting_for == "launch: 0 launches before it");
    others[1].leave();
    settle();
    CHECK(now().status == status::created);
    CHECK(now().waiting_for.empty());
    // It has left: there is room for the next one.
    CHECK(with->gate->enter([] {}).value().has_come());
  }
  SECTION("and is killed before") {
    ask<msg::snapshot>(subject, msg::kill{9, false});
    pass(1s, 1s);
    CHECK(refusal<msg::snapshot>(creating).code == fault::wrong_state);
    CHECK_FALSE(logged("launch web-1"));
  }
  SECTION("that does not come in time") {
    pass(60s, 1s);
    const auto why = refusal<msg::snapshot>(creating);
    CHECK(why.code == fault::timed_out);
    CHECK_THAT(why.what, Catch::Contains("still 1 launches before it"));
    others.clear();
    settle();
    CHECK_FALSE(logged("launch web-1"));
  }
}

TEST_CASE_METHOD(fixture, "a config that does not compile leaves nothing",
                 "[container][create]") {
  plan_failure = failure{fault::invalid_config, 0, "/root/path: missing"};
  CHECK(create_fails() == *plan_failure);
  CHECK_FALSE(on_disk("web-1"));
  CHECK_FALSE(logged("launch web-1"));
  CHECK(event_types() == std::vector<std::string>{"create_failed"});
}

TEST_CASE_METHOD(fixture, "a launch that fails leaves nothing and says why",
                 "[container][create]") {
  plan.rootfs.mounts.resize(1);
  plan.rootfs.mounts[0].origin = "/mounts/3";
  shim->refusals["launch"] = test::step_reply(plan::phase::mount, 0, ENOENT,
                                              "open_tree /srv/data: ENOENT");
  const auto why = create_fails();
  CHECK(why.os_errno == ENOENT);
  CHECK(why.what.find("/mounts/3") == 0);
  CHECK(why.what.find("open_tree /srv/data") != std::string::npos);
  CHECK_FALSE(on_disk("web-1"));
  CHECK(logged("forget web-1"));
  CHECK_FALSE(logged("teardown web-1")); // The launcher has cleaned up.
  CHECK(event_types() == std::vector<std::string>{"create_failed"});
}

TEST_CASE_METHOD(fixture, "a hook's time-out is not the launch's",
                 "[container][create]") {
  shim->refusals["launch"] = test::step_reply(plan::phase::hook_prestart, 0,
                                              ETIMEDOUT, "/bin/hook: killed");
  CHECK(create_fails().code == fault::timed_out);
  CHECK_FALSE(logged("signal web-1 9")); // It is not there any more.
  CHECK(event_types() == std::vector<std::string>{"create_failed"});
}

TEST_CASE_METHOD(fixture, "a directory that is there is not taken over",
                 "[container][create]") {
  REQUIRE(store.make("web-1"));
  CHECK(create_fails().code == fault::already_exists);
  CHECK(on_disk("web-1")); // It is someone else's.
  CHECK(event_types().empty());
}

TEST_CASE_METHOD(fixture, "a launch that does not end is killed and undone",
                 "[container][create]") {
  spawn();
  shim->lost.insert("launch");
  auto creating = send(subject, request());
  pass(59s, 1s);
  CHECK_FALSE(logged("signal web-1 9"));
  pass(1s);
  CHECK(logged("signal web-1 9"));

  SECTION("when the launcher is reaped") {
    auto failed = record_of(process_state::failed);
    self->send(shim->owners["web-1"], msg::process_changed{failed});
    settle();
  }

  SECTION("or when it has had its time") {
    pass(10s, 1s);
  }

  CHECK(logged("teardown web-1")); // What is killed cleans nothing up.
  CHECK(refusal<msg::snapshot>(creating).code == fault::timed_out);
  CHECK_FALSE(on_disk("web-1"));
  CHECK(ended());
}

TEST_CASE_METHOD(fixture, "a kill ends a launch", "[container][create]") {
  creating();
  ask<msg::snapshot>(subject, msg::kill{SIGKILL, false});
  CHECK(logged("signal web-1 9"));
}

TEST_CASE_METHOD(fixture, "a removal ends a launch", "[container][create]") {
  spawn();

  SECTION("that is under way") {
    shim->lost.insert("launch");
    auto creating = send(subject, request());
    auto removing = send(subject, msg::remove{true});
    CHECK(logged("signal web-1 9"));
    pass(70s, 1s); // The shim never says a word.
    CHECK(taken<msg::snapshot>(removing).status == status::destroyed);
    CHECK(refusal<msg::snapshot>(creating).code == fault::timed_out);
  }

  SECTION("whose reply has not come yet") {
    shim->held.insert("launch");
    auto creating = send(subject, request());
    auto removing = send(subject, msg::remove{true});
    CHECK(taken<msg::snapshot>(creating).status == status::created);
    CHECK(taken<msg::snapshot>(removing).status == status::destroyed);
  }

  CHECK_FALSE(on_disk("web-1"));
  CHECK(logged("teardown web-1"));
}

TEST_CASE_METHOD(fixture, "the counters of a cgroup taken over do not count",
                 "[container][create]") {
  group->oom_kills = 5;
  running();
  exits("web-1", 137, SIGKILL);
  CHECK(now().oom_kills == 0);
  CHECK_FALSE(now().oom_killed);
}

// -- start --------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a second start is refused", "[container][start]") {
  created();
  shim->held.insert("start");
  auto starting = send(subject, msg::start{});
  const auto why = refused<msg::snapshot>(subject, msg::start{});
  CHECK(why.code == fault::wrong_state);
  release();
  CHECK(taken<msg::snapshot>(starting).status == status::running);
  CHECK(times_logged("start web-1") == 1);
}

TEST_CASE_METHOD(fixture, "running is told by the record before the reply",
                 "[container][start]") {
  created();
  shim->held.insert("start");
  auto starting = send(subject, msg::start{});
  CHECK(taken<msg::snapshot>(starting).status == status::running);
  release();
  CHECK(now().status == status::running);
  CHECK(event_types() == std::vector<std::string>{"created", "started"});
}

TEST_CASE_METHOD(fixture, "a late start reply does not raise the dead",
                 "[container][start]") {
  created();
  shim->held.insert("start");
  auto starting = send(subject, msg::start{});
  CHECK(taken<msg::snapshot>(starting).status == status::running);
  exits("web-1", 0);
  CHECK(now().status == status::stopped);
  release();
  CHECK(now().status == status::stopped);
  CHECK(event_types()
        == std::vector<std::string>{"created", "started", "exited", "stopped"});
}

TEST_CASE_METHOD(fixture, "a command that is not there ends in 127",
                 "[container][start]") {
  created();
  const auto step = test::step_reply(plan::phase::exec, 0, ENOENT,
                                     "execve /bin/server: ENOENT");
  shim->refusals["start"] = step;
  auto starting = send(subject, msg::start{});
  CHECK_FALSE(answered()); // Only once the container is stopped.
  auto dead = record_of(process_state::exited);
  dead.started = 0;
  dead.start_failed = true;
  dead.failure = step.step;
  dead.exit_code = 1;
  record(dead);
  settle();
  const auto why = refusal<msg::snapshot>(starting);
  CHECK(why.code == fault::command_not_found);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 127);
  CHECK(now().error.find("/bin/server") != std::string::npos);
  CHECK(now().started == 0);
  CHECK(event_types()
        == std::vector<std::string>{"created", "exited", "stopped"});
}

TEST_CASE_METHOD(fixture, "a command that cannot be executed ends in 126",
                 "[container][start]") {
  created();
  const auto step = test::step_reply(plan::phase::exec, 0, EACCES,
                                     "execve /bin/server: EACCES");
  shim->refusals["start"] = step;
  // The exit is told before the reply.
  auto dead = record_of(process_state::exited);
  dead.started = 0;
  dead.start_failed = true;
  dead.failure = step.step;
  record(dead);
  settle();
  CHECK(now().exit_code == 126);
}

TEST_CASE_METHOD(fixture, "a start that the shim refuses changes nothing",
                 "[container][start]") {
  created();
  shim->refusals["start"] = test::plain_reply(fault::exhausted,
                                              "too many requests");
  CHECK(refused<msg::snapshot>(subject, msg::start{})
        == failure{fault::exhausted, 0, "too many requests"});
  CHECK(now().status == status::created);
  CHECK(now().waiting_for.empty());
  shim->refusals.clear();
  CHECK(ask<msg::snapshot>(subject, msg::start{}).status == status::running);
}

TEST_CASE_METHOD(fixture, "a start that hangs is killed",
                 "[container][start]") {
  created();
  shim->lost.insert("start");
  auto starting = send(subject, msg::start{});
  CHECK(now().waiting_for == "start");
  CHECK(now().waiting_since > 0);
  pass(60s, 1s);
  CHECK(logged("signal web-1 9"));
  CHECK(refusal<msg::snapshot>(starting).code == fault::timed_out);
  CHECK(now().status == status::stopped);
}

TEST_CASE_METHOD(fixture, "a poststart hook that fails stops the container",
                 "[container][start]") {
  plan.hooks.poststart.resize(1);
  plan.hooks.poststart[0].origin = "/hooks/poststart/0";
  created();

  SECTION("and start fails") {
    shim->refusals["poststart"] = test::step_reply(
      plan::phase::hook_poststart, 0, 0, "/bin/hook exited with 1");
    const auto why = refused<msg::snapshot>(subject, msg::start{});
    CHECK(why.what.find("/hooks/poststart/0") == 0);
    CHECK(logged("signal web-1 9"));
    CHECK(now().status == status::stopped);
    CHECK(now().error.find("/bin/hook") != std::string::npos);
  }

  SECTION("one that succeeds does not") {
    CHECK(ask<msg::snapshot>(subject, msg::start{}).status == status::running);
    CHECK(logged("poststart web-1"));
    CHECK(now().waiting_for.empty());
  }
}

TEST_CASE_METHOD(fixture, "without poststart hooks nobody runs them",
                 "[container][start]") {
  running();
  CHECK_FALSE(logged("poststart web-1"));
}

} // namespace troupe::container_launch_test
