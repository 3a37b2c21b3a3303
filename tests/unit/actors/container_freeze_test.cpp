#include "tests/unit/actors/container_stage.hpp"

namespace troupe::container_freeze_test {

using namespace std::chrono_literals;

using lifecycle::status;

namespace {

using fixture = test::container_stage;

} // namespace

TEST_CASE_METHOD(fixture, "pause is pausing until everything is frozen",
                 "[container][pause]") {
  running();
  group->freezes_at_once = false;
  auto pausing = send(subject, msg::pause{});
  CHECK(now().status == status::pausing);
  CHECK(now().waiting_for == "freeze");
  pass(500ms);
  CHECK_FALSE(answered());
  CHECK(now().status == status::pausing);
  group->state = cgroup::freeze_state::frozen;
  pass(50ms);
  CHECK(taken<msg::snapshot>(pausing).status == status::paused);
  CHECK(now().waiting_for.empty());
  CHECK(status_on_disk("web-1") == "paused");
  CHECK(event_types().back() == "paused");
}

TEST_CASE_METHOD(fixture, "a second pause joins the first",
                 "[container][pause]") {
  pausing();
  auto second = send(subject, msg::pause{});
  CHECK_FALSE(answered());
  group->state = cgroup::freeze_state::frozen;
  pass(50ms);
  CHECK(taken<msg::snapshot>(second).status == status::paused);
  CHECK(taken<msg::snapshot>(pending_pause.back()).status == status::paused);
  CHECK(times_logged("freeze") == 1);
}

TEST_CASE_METHOD(fixture, "pause of a paused container succeeds at once",
                 "[container][pause]") {
  paused();
  CHECK(ask<msg::snapshot>(subject, msg::pause{}).status == status::paused);
  CHECK(times_logged("freeze") == 1);
}

TEST_CASE_METHOD(fixture, "resume thaws", "[container][resume]") {
  paused();
  CHECK(ask<msg::snapshot>(subject, msg::resume{}).status == status::running);
  CHECK(group->state == cgroup::freeze_state::thawed);
  CHECK(event_types().back() == "resumed");
}

TEST_CASE_METHOD(fixture, "resume of a running container does nothing",
                 "[container][resume]") {
  running();
  CHECK(ask<msg::snapshot>(subject, msg::resume{}).status == status::running);
  CHECK_FALSE(logged("thaw"));
}

TEST_CASE_METHOD(fixture, "resume cancels a pause that is under way",
                 "[container][resume]") {
  pausing();
  CHECK(ask<msg::snapshot>(subject, msg::resume{}).status == status::running);
  CHECK(logged("thaw"));
  const auto why = refusal<msg::snapshot>(pending_pause.back());
  CHECK(why.code == fault::wrong_state);
  CHECK(why.what.find("pause was cancelled by resume") != std::string::npos);
  // Neither the freezer nor its deadline come back to it.
  group->state = cgroup::freeze_state::frozen;
  pass(10s, 100ms);
  CHECK(now().status == status::running);
  CHECK(event_types() == std::vector<std::string>{"created", "started"});
}

TEST_CASE_METHOD(fixture, "a freeze that misses its deadline ends in running",
                 "[container][pause]") {
  pausing();
  auto second = send(subject, msg::pause{});
  pass(5s, 100ms);
  for (auto* each : {&pending_pause.back(), &second}) {
    const auto why = refusal<msg::snapshot>(*each);
    CHECK(why.code == fault::timed_out);
    CHECK(why.what.find("5000 ms") != std::string::npos);
  }
  CHECK(now().status == status::running);
  CHECK(logged("thaw"));
}

TEST_CASE_METHOD(fixture, "a freezer that refuses changes nothing",
                 "[container][pause]") {
  running();
  group->freeze_failure = os_failure(EBUSY, "write", "freezer.state");
  CHECK(refused<msg::snapshot>(subject, msg::pause{}).os_errno == EBUSY);
  CHECK(now().status == status::running);
}

TEST_CASE_METHOD(fixture, "a container that cannot be thawed stays paused",
                 "[container][resume]") {
  paused();
  group->thaw_failure = os_failure(EIO, "write", "freezer.state");
  CHECK(refused<msg::snapshot>(subject, msg::resume{}).os_errno == EIO);
  CHECK(now().status == status::paused);
}

TEST_CASE_METHOD(fixture, "kill thaws a paused container, so that it can die",
                 "[container][kill]") {
  paused();
  const auto killed = ask<msg::snapshot>(subject, msg::kill{SIGKILL, false});
  CHECK(killed.status == status::running);
  const auto signalled = std::find(log->begin(), log->end(), "signal web-1 9");
  const auto thawed = std::find(log->begin(), log->end(), "thaw");
  CHECK(signalled < thawed);
  exits("web-1", 137, SIGKILL);
  CHECK(now().status == status::stopped);
}

TEST_CASE_METHOD(fixture, "any other signal leaves it frozen",
                 "[container][kill]") {
  paused();
  ask<msg::snapshot>(subject, msg::kill{SIGTERM, false});
  CHECK(now().status == status::paused);
  CHECK_FALSE(logged("thaw"));
}

TEST_CASE_METHOD(fixture, "kill ends a pause that is under way",
                 "[container][kill]") {
  pausing();
  ask<msg::snapshot>(subject, msg::kill{SIGKILL, true});
  CHECK(logged("signal_all 9"));
  CHECK(refusal<msg::snapshot>(pending_pause.back()).code
        == fault::wrong_state);
}

TEST_CASE_METHOD(fixture, "an exit ends a pause that is under way",
                 "[container][pause]") {
  pausing();
  exits("web-1", 0);
  CHECK(refusal<msg::snapshot>(pending_pause.back()).code
        == fault::wrong_state);
  group->state = cgroup::freeze_state::frozen;
  pass(10s, 100ms);
  CHECK(now().status == status::stopped);
}

} // namespace troupe::container_freeze_test
