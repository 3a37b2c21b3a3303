#include "tests/unit/actors/container_stage.hpp"

#include <cerrno>

namespace troupe::container_adopt_test {

using namespace std::chrono_literals;

using lifecycle::status;
using shim::process_state;

namespace {

using fixture = test::container_stage;
using types = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(fixture, "a running process is a running container",
                 "[container][adopt]") {
  // Whatever the disk got to know of it.
  const auto on_disk = GENERATE(values(
    {status::creating, status::created, status::running, status::pausing}));
  INFO(to_string(on_disk));
  adopt(state_on_disk(on_disk), record_of(process_state::running));
  CHECK(now().status == status::running);
  CHECK(now().pid == 42);
  CHECK(now().created == 1'000);
  CHECK(now().started == 2'000);
  CHECK(status_on_disk("web-1") == "running");
  CHECK(event_types() == types{"created", "started"});
  CHECK(events->all[0].time == 1'000);
  CHECK(events->all[1].time == 2'000);
  // It hears of what happens next.
  exits("web-1", 5);
  CHECK(now().exit_code == 5);
}

TEST_CASE_METHOD(fixture, "a frozen process is a paused container",
                 "[container][adopt]") {
  group->state = cgroup::freeze_state::frozen;
  adopt(state_on_disk(status::pausing), record_of(process_state::running));
  CHECK(now().status == status::paused);
  CHECK(ask<msg::snapshot>(subject, msg::resume{}).status == status::running);
}

TEST_CASE_METHOD(fixture, "a freezing one goes on pausing",
                 "[container][adopt]") {
  group->state = cgroup::freeze_state::freezing;
  adopt(state_on_disk(status::pausing), record_of(process_state::running));
  CHECK(now().status == status::pausing);
  auto joining = send(subject, msg::pause{});
  group->state = cgroup::freeze_state::frozen;
  pass(50ms);
  CHECK(taken<msg::snapshot>(joining).status == status::paused);
}

TEST_CASE_METHOD(fixture, "OOM kills of the time in between are told",
                 "[container][adopt]") {
  group->oom_kills = 3;
  auto state = state_on_disk(status::running);
  state.oom_kills = 1;
  adopt(state, record_of(process_state::running));
  CHECK(now().oom_kills == 1);
  tell(subject, watch_begins());
  CHECK(now().oom_kills == 3);
  // The first may have been written to the disk only.
  CHECK(event_types() == types{"created", "started", "oom", "oom", "oom"});
}

TEST_CASE_METHOD(fixture, "a waiting init is a created container",
                 "[container][adopt]") {
  const auto on_disk = GENERATE(values({status::creating, status::created}));
  adopt(state_on_disk(on_disk), record_of(process_state::created));
  CHECK(now().status == status::created);
  CHECK(event_types() == types{"created"});
  CHECK(ask<msg::snapshot>(subject, msg::start{}).status == status::running);
}

TEST_CASE_METHOD(fixture, "a launch goes on without its requester",
                 "[container][adopt]") {
  adopt(state_on_disk(status::creating), record_of(process_state::launching));
  CHECK(now().status == status::creating);

  SECTION("to its end") {
    record(record_of(process_state::created));
    settle();
    CHECK(now().status == status::created);
    pass(80s, 1s);
    CHECK_FALSE(logged("signal web-1 9"));
  }

  SECTION("to its failure") {
    record(record_of(process_state::failed));
    settle();
    CHECK(ended());
    CHECK_FALSE(on_disk("web-1"));
  }

  SECTION("but not for ever") {
    pass(60s, 1s);
    CHECK(logged("signal web-1 9"));
    CHECK(ended());
    CHECK(logged("teardown web-1"));
  }
}

TEST_CASE_METHOD(fixture, "an exit that nobody has seen is told whole",
                 "[container][adopt]") {
  const auto on_disk = GENERATE(values(
    {status::creating, status::created, status::running, status::paused}));
  INFO(to_string(on_disk));
  group->oom_kills = 1;
  auto dead = record_of(process_state::exited);
  dead.exit_code = 137;
  dead.exit_signal = SIGKILL;
  adopt(state_on_disk(on_disk), dead);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 137);
  CHECK(now().oom_killed);
  CHECK(now().finished == 3'000);
  CHECK(event_types()
        == types{"created", "started", "oom", "exited", "stopped"});
  CHECK(logged("forget web-1"));
}

TEST_CASE_METHOD(fixture, "what was told before the crash is not told twice",
                 "[container][adopt]") {
  running();
  shim->lost.insert("forget");
  exits("web-1", 3);
  const auto before = event_types();
  auto dead = shim->records["web-1"];
  const auto found = store.load();
  REQUIRE(found->size() == 1);
  self->send_exit(subject, caf::exit_reason::kill);
  settle();
  shim->lost.clear();
  const auto forgotten = times_logged("forget web-1");

  // The new supervisor finds the exit on disk, and the record at the shim.
  adopt(found->front().state, dead);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 3);
  CHECK(event_types() == before);
  CHECK(times_logged("forget web-1") == forgotten + 1);
}

TEST_CASE_METHOD(fixture, "a stopped container tells again what it implies",
                 "[container][adopt]") {
  auto state = state_on_disk(status::stopped);
  state.started = 2'000;
  state.finished = 3'000;
  state.exit_code = 3;
  state.oom_kills = 1;
  adopt(state, std::nullopt);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 3);
  CHECK(event_types()
        == types{"created", "started", "oom", "exited", "stopped"});
  auto told = std::make_shared<std::vector<msg::snapshot>>();
  tell(subject, msg::await_exit{own(test::spawn_exit_listener(system, told))});
  CHECK(told->size() == 1);
  ask<msg::snapshot>(subject, msg::remove{});
  CHECK_FALSE(on_disk("web-1"));
}

TEST_CASE_METHOD(fixture, "a stopped one that was to remove itself does",
                 "[container][adopt]") {
  auto state = state_on_disk(status::stopped);
  state.auto_remove = true;
  adopt(state, std::nullopt);
  CHECK(ended());
  CHECK_FALSE(on_disk("web-1"));
}

TEST_CASE_METHOD(fixture, "a half-made container is unmade",
                 "[container][adopt]") {
  const auto known_failure = GENERATE(true, false);
  adopt(state_on_disk(status::creating),
        known_failure ? std::optional{record_of(process_state::failed)}
                      : std::nullopt);
  CHECK(ended());
  CHECK(logged("teardown web-1"));
  CHECK(logged("forget web-1") == known_failure);
  CHECK_FALSE(on_disk("web-1"));
  CHECK(event_types() == types{"destroyed"});
}

TEST_CASE_METHOD(fixture, "a container that the shim does not know is lost",
                 "[container][adopt]") {
  const auto on_disk = GENERATE(values(
    {status::created, status::running, status::pausing, status::paused}));
  INFO(to_string(on_disk));
  group->state = on_disk == status::paused ? cgroup::freeze_state::frozen
                                           : cgroup::freeze_state::thawed;
  adopt(state_on_disk(on_disk), std::nullopt);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 255);
  CHECK_THAT(now().error, Catch::StartsWith("lost: the shim has no record"));
  CHECK(logged("signal_all 9"));
  CHECK(group->state == cgroup::freeze_state::thawed);
  CHECK(event_types().back() == "stopped");
  ask<msg::snapshot>(subject, msg::remove{});
  CHECK(logged("teardown web-1"));
}

TEST_CASE_METHOD(fixture, "a removal that was interrupted is finished",
                 "[container][adopt]") {
  const auto known = GENERATE(true, false);
  adopt(state_on_disk(status::destroyed),
        known ? std::optional{record_of(process_state::exited)} : std::nullopt);
  CHECK(ended());
  CHECK_FALSE(on_disk("web-1"));
  CHECK(event_types() == types{"destroyed"});
}

TEST_CASE_METHOD(fixture, "the shim's exec sessions are adopted with it",
                 "[container][adopt]") {
  auto origin = container_origin{};
  origin.id = "web-1";
  origin.supervisor = supervisor;
  origin.adopted = true;
  origin.state = state_on_disk(status::running);
  origin.plan = std::make_shared<const plan::launch_plan>(plan);
  origin.has_record = true;
  origin.record = record_of(process_state::running);
  auto session = record_of(process_state::running);
  session.key = "web-1/0123456789ab";
  session.is_exec = true;
  origin.execs.push_back(session);
  subject = own(spawn_container(system, with, std::move(origin)));
  settle();
  CHECK(now().execs == std::vector<std::string>{"0123456789ab"});
  const auto found = ask<msg::exec_created>(subject,
                                            msg::find_exec{"0123456789ab"});
  CHECK(found.now.status == msg::exec_status::running);
  CHECK(found.now.pid == 42);
}

} // namespace troupe::container_adopt_test
