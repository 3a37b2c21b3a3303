#include "actors/exec_session.hpp"
#include "tests/unit/actors/container_stage.hpp"

#include <algorithm>
#include <cerrno>

namespace troupe::exec_session_test {

using namespace std::chrono_literals;

using msg::exec_status;
using shim::process_state;

namespace {

struct fixture : test::container_stage {
  static msg::create_exec shell() {
    auto out = msg::create_exec{};
    out.args = {"sh", "-c", "true"};
    return out;
  }

  /// A session that waits for its start, in a running container.
  void session_created() {
    running();
    const auto made = ask<msg::exec_created>(subject, shell());
    session = made.session;
    id = made.now.id;
    key = "web-1/" + id;
  }

  void session_running() {
    session_created();
    ask<msg::exec_snapshot>(session, msg::start{});
  }

  void session_stopped() {
    session_running();
    exits(key, 3);
  }

  void session_in(exec_status x) {
    switch (x) {
    case exec_status::created:
      return session_created();
    case exec_status::running:
      return session_running();
    default:
      return session_stopped();
    }
  }

  std::ptrdiff_t launches() {
    return std::count_if(log->begin(), log->end(), [](const auto& each) {
      return each.starts_with("launch web-1/");
    });
  }

  msg::exec_snapshot session_now() {
    return ask<msg::exec_snapshot>(session, msg::take_snapshot{});
  }

  exec_session_actor session;
  std::string id;
  std::string key;
};

} // namespace

TEST_CASE_METHOD(fixture, "an exec session goes its whole way", "[exec]") {
  session_created();
  CHECK(id.size() == 12);
  CHECK(shim->last_target == "web-1");
  CHECK(shim->last_log.path.empty());
  CHECK(session_now().status == exec_status::created);
  CHECK(session_now().args == shell().args);
  CHECK(now().execs == std::vector<std::string>{id});

  const auto started = ask<msg::exec_snapshot>(session, msg::start{});
  CHECK(started.status == exec_status::running);
  CHECK(started.started > 0);

  auto told = std::make_shared<std::vector<msg::exec_snapshot>>();
  tell(session, msg::await_exec{own(test::spawn_exec_listener(system, told))});
  exits(key, 3);
  REQUIRE(told->size() == 1);
  CHECK(told->front().exit_code == 3);
  CHECK(session_now().status == exec_status::stopped);
  tell(session, msg::await_exec{own(test::spawn_exec_listener(system, told))});
  CHECK(told->size() == 2);
  CHECK(event_types().back() == "exec_exited");
  CHECK(event_data("exec_exited")
        == R"({"exit_code":3,"session":")" + id + R"(","signal":0})");
}

TEST_CASE_METHOD(fixture, "a session waits for its turn to launch", "[exec]") {
  running();
  std::vector<launch_gate::turn> others;
  while (others.empty() || others.back().has_come())
    others.push_back(with->gate->enter([] {}).value());
  auto creating = send(subject, shell());
  CHECK(launches() == 0);

  SECTION("it comes") {
    others.clear();
    settle();
    const auto made = taken<msg::exec_created>(creating);
    CHECK(made.now.status == exec_status::created);
    CHECK(launches() == 1);
    CHECK(with->gate->enter([] {}).value().has_come());
  }
  SECTION("it does not come") {
    pass(61s, 1s);
    CHECK(refusal<msg::exec_created>(creating).code == fault::timed_out);
    CHECK(now().execs.empty());
    CHECK(launches() == 0);
  }
}

TEST_CASE_METHOD(fixture, "a session accepts exactly what its table says",
                 "[exec][table]") {
  const auto from = GENERATE(
    values({exec_status::created, exec_status::running, exec_status::stopped}));
  session_in(from);
  REQUIRE(session_now().status == from);

  SECTION("start") {
    if (from == exec_status::created)
      ask<msg::exec_snapshot>(session, msg::start{});
    else
      CHECK(refused<msg::exec_snapshot>(session, msg::start{}).code
            == fault::wrong_state);
  }

  SECTION("kill") {
    const auto request = msg::kill{SIGHUP, false};
    if (from == exec_status::stopped)
      CHECK(refused<msg::exec_snapshot>(session, request).code
            == fault::wrong_state);
    else
      ask<msg::exec_snapshot>(session, request);
  }

  SECTION("attach") {
    ask<msg::done>(session, msg::attach{});
    CHECK(logged("attach " + key));
  }

  SECTION("remove") {
    if (from == exec_status::stopped)
      ask<msg::exec_snapshot>(session, msg::remove{});
    else
      CHECK(refused<msg::exec_snapshot>(session, msg::remove{}).code
            == fault::wrong_state);
  }

  SECTION("remove with force") {
    ask<msg::exec_snapshot>(session, msg::remove{true});
    CHECK(logged("forget " + key));
    CHECK(now().execs.empty());
  }
}

TEST_CASE_METHOD(fixture, "a session's refusal says what is allowed",
                 "[exec]") {
  session_running();
  CHECK(refused<msg::exec_snapshot>(session, msg::start{}).what
        == "start exec " + id
             + " of container web-1: it is running; allowed: created");
}

TEST_CASE_METHOD(fixture, "a launch that fails leaves no session", "[exec]") {
  running();
  shim->refusals["launch"] = test::step_reply(plan::phase::user, 0, EPERM,
                                              "setgroups: EPERM");
  const auto why = refused<msg::exec_created>(subject, shell());
  CHECK(why.os_errno == EPERM);
  CHECK(why.what.find("setgroups") != std::string::npos);
  CHECK(now().execs.empty());
}

TEST_CASE_METHOD(fixture, "a request that does not compile makes no session",
                 "[exec]") {
  running();
  plan_failure = failure{fault::invalid_config, 0, "/user: no such user"};
  CHECK(refused<msg::exec_created>(subject, shell()) == *plan_failure);
  CHECK(now().execs.empty());
}

TEST_CASE_METHOD(fixture, "a session's launch that does not end is killed",
                 "[exec]") {
  running();
  shim->lost.insert("launch");
  auto creating = send(subject, shell());
  pass(60s, 1s);
  pass(10s, 1s);
  CHECK(refusal<msg::exec_created>(creating).code == fault::timed_out);
  CHECK(now().execs.empty());
}

TEST_CASE_METHOD(fixture, "a container that is paused meanwhile gets none",
                 "[exec]") {
  running();
  // Both are under way at once: the planner answers after the pause.
  auto creating = self->request(subject, caf::infinite, shell());
  auto pausing = self->request(subject, caf::infinite, msg::pause{});
  settle();
  CHECK(refusal<msg::exec_created>(creating).code == fault::paused);
  pass(1ms);
  taken<msg::snapshot>(pausing);
  CHECK(now().execs.empty());
}

TEST_CASE_METHOD(fixture, "a session's command that is not there ends in 127",
                 "[exec]") {
  session_created();
  const auto step = test::step_reply(plan::phase::exec, 0, ENOENT,
                                     "execve sh: ENOENT");
  shim->refusals["start"] = step;
  auto starting = send(session, msg::start{});
  CHECK_FALSE(answered());
  auto dead = shim->records[key];
  dead.state = process_state::exited;
  dead.start_failed = true;
  dead.failure = step.step;
  record(dead);
  settle();
  CHECK(refusal<msg::exec_snapshot>(starting).code == fault::command_not_found);
  CHECK(session_now().exit_code == 127);
  CHECK_FALSE(session_now().error.empty());
}

TEST_CASE_METHOD(fixture, "a session's late start reply does not raise it",
                 "[exec]") {
  session_created();
  shim->held.insert("start");
  auto starting = send(session, msg::start{});
  CHECK(taken<msg::exec_snapshot>(starting).status == exec_status::running);
  exits(key, 0);
  release();
  CHECK(session_now().status == exec_status::stopped);
}

TEST_CASE_METHOD(fixture, "an ended session is remembered for a minute",
                 "[exec]") {
  session_stopped();
  CHECK(ask<msg::exec_created>(subject, msg::find_exec{id}).now.exit_code == 3);
  pass(59s, 1s);
  CHECK_FALSE(logged("forget " + key));
  pass(1s);
  CHECK(logged("forget " + key));
  CHECK(refused<msg::exec_created>(subject, msg::find_exec{id}).code
        == fault::not_found);
}

TEST_CASE_METHOD(fixture, "few ended sessions are remembered", "[exec]") {
  session_stopped();
  const auto oldest = key;
  for (auto i = 0; i < 64; ++i) {
    const auto made = ask<msg::exec_created>(subject, shell());
    ask<msg::exec_snapshot>(made.session, msg::start{});
    exits("web-1/" + made.now.id, 0);
  }
  CHECK(now().execs.size() == 64);
  CHECK(logged("forget " + oldest));
}

TEST_CASE_METHOD(fixture, "a full disk delays a session's events only",
                 "[exec]") {
  session_running();
  events->failing = os_failure(ENOSPC, "write", "events.db");
  auto told = std::make_shared<std::vector<msg::exec_snapshot>>();
  tell(session, msg::await_exec{own(test::spawn_exec_listener(system, told))});
  exits(key, 3);
  CHECK(told->size() == 1);
  events->failing.reset();
  pass(1s, 100ms);
  CHECK(event_types().back() == "exec_exited");
}

TEST_CASE_METHOD(fixture, "an adopted session takes up where its record is",
                 "[exec][adopt]") {
  running();
  auto record = record_of(GENERATE(values(
    {process_state::created, process_state::running, process_state::exited})));
  record.key = "web-1/0123456789ab";
  record.is_exec = true;
  record.exit_code = record.state == process_state::exited ? 9 : 0;
  shim->records[record.key] = record;
  auto origin = exec_origin{};
  origin.container = "web-1";
  origin.id = "0123456789ab";
  origin.owner = subject;
  origin.has_record = true;
  origin.record = record;
  session = own(spawn_exec_session(system, with, std::move(origin)));
  settle();
  const auto now = session_now();
  CHECK(now.created == 1'500);
  CHECK(now.exit_code == record.exit_code);
  CHECK(static_cast<int>(now.status) == static_cast<int>(record.state));
  CHECK(now.started == record.started);
}

TEST_CASE_METHOD(fixture, "a session does not outlive its container's actor",
                 "[exec]") {
  session_running();
  self->monitor(session);
  self->send_exit(subject, caf::exit_reason::kill);
  settle();
  auto down = false;
  self->receive([&](const caf::down_msg& x) { down = x.source == session; });
  CHECK(down);
}

} // namespace troupe::exec_session_test
