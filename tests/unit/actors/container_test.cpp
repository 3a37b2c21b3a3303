#include "tests/unit/actors/container_stage.hpp"

#include <array>
#include <functional>
#include <unistd.h>

namespace troupe::container_test {

using namespace std::chrono_literals;

using lifecycle::operation;
using lifecycle::status;
using shim::process_state;

namespace {

using fixture = test::container_stage;

} // namespace

TEST_CASE_METHOD(fixture, "a new container goes its whole way", "[container]") {
  created();
  CHECK(now().status == status::created);
  CHECK(now().pid == 1001);
  CHECK(now().args == plan.process.args);
  CHECK(now().hostname == "web");
  CHECK(now().annotation_values == std::vector<std::string>{"blue"});
  CHECK(shim->last_log.path == store.log_of("web-1"));
  CHECK(status_on_disk("web-1") == "created");

  const auto running = ask<msg::snapshot>(subject, msg::start{});
  CHECK(running.status == status::running);
  CHECK(running.started > 0);
  CHECK(status_on_disk("web-1") == "running");

  exits("web-1", 3);
  CHECK(now().status == status::stopped);
  CHECK(now().exit_code == 3);
  CHECK(now().pid == 0);
  CHECK_FALSE(now().oom_killed);
  CHECK(status_on_disk("web-1") == "stopped");
  CHECK(logged("forget web-1"));

  const auto removed = ask<msg::snapshot>(subject, msg::remove{});
  CHECK(removed.status == status::destroyed);
  CHECK_FALSE(on_disk("web-1"));
  CHECK(event_types()
        == std::vector<std::string>{"created", "started", "exited", "stopped",
                                    "destroyed"});
  CHECK(path()
        == std::vector{status::creating, status::created, status::running,
                       status::stopped, status::destroyed});
}

// Every request of the interface in every status that can be reached: what the
// table allows is not refused, and what it refuses changes nothing.
TEST_CASE_METHOD(fixture, "a container accepts exactly what its table says",
                 "[container][table]") {
  struct request {
    operation on;
    std::function<test::container_stage::pending(fixture&)> make;
  };
  const auto sends = [this](auto message) {
    return [this, message](fixture&) { return send(subject, message); };
  };
  const auto requests = std::array{
    request{operation::start, sends(msg::start{})},
    request{operation::pause, sends(msg::pause{})},
    request{operation::resume, sends(msg::resume{})},
    request{operation::signal, sends(msg::kill{10, false})},
    request{operation::kill, sends(msg::kill{SIGKILL, false})},
    request{operation::stop, sends(msg::stop{SIGTERM, 1s})},
    request{operation::remove, sends(msg::remove{false})},
    request{operation::destroy, sends(msg::remove{true})},
  };
  const auto from = GENERATE(
    values({status::creating, status::created, status::running, status::pausing,
            status::paused, status::stopped}));
  const auto which = GENERATE(range(std::size_t{0}, std::size_t{8}));
  const auto& [on, make] = requests[which];
  INFO(to_string(from) << " + " << to_string(on));
  shim->deadly.clear(); // Nothing ends by itself.
  reach(from);
  REQUIRE(now().status == from);
  const auto row = lifecycle::find(from, on);
  auto answer = make(*this);
  if (row) {
    // These are not answered before the container's end; what has come is the
    // pause's own answer, that it was cancelled.
    const auto ends = on == operation::stop || on == operation::destroy;
    if (answered() && !(ends && from == status::pausing))
      answer.receive(
        [](const msg::snapshot&) {},
        [this](const caf::error& why) { FAIL(system.render(why)); });
    return;
  }
  const auto why = refusal<msg::snapshot>(answer);
  const auto frozen = from == status::pausing || from == status::paused;
  CHECK(why.code == (frozen ? fault::paused : fault::wrong_state));
  CHECK(why.what.find(to_string(from)) != std::string::npos);
  CHECK(now().status == from);
}

TEST_CASE_METHOD(fixture, "an exec session opens in a running container only",
                 "[container][table]") {
  const auto from = GENERATE(
    values({status::creating, status::created, status::running, status::pausing,
            status::paused, status::stopped}));
  INFO(to_string(from));
  reach(from);
  auto x = msg::create_exec{};
  x.args = {"sh"};
  if (from == status::running) {
    CHECK(ask<msg::exec_created>(subject, x).now.status
          == msg::exec_status::created);
    return;
  }
  const auto why = refused<msg::exec_created>(subject, x);
  if (from == status::paused)
    CHECK(why == failure{fault::paused, 0, "container web-1 is paused"});
  else
    CHECK(why.code
          == (from == status::pausing ? fault::paused : fault::wrong_state));
}

TEST_CASE_METHOD(fixture, "a refusal names status, operation and alternatives",
                 "[container]") {
  running();
  CHECK(refused<msg::snapshot>(subject, msg::start{})
        == failure{fault::wrong_state, 0,
                   "start container web-1: it is running; allowed: created"});
}

TEST_CASE_METHOD(fixture, "a container is created once", "[container]") {
  running();
  const auto why = refused<msg::snapshot>(subject, request());
  CHECK(why.code == fault::wrong_state);
}

TEST_CASE_METHOD(fixture, "a signal that does not exist is refused",
                 "[container]") {
  running();
  for (const auto signo : {0, -1, 65}) {
    CHECK(refused<msg::snapshot>(subject, msg::kill{signo, false}).code
          == fault::invalid_config);
    CHECK(refused<msg::snapshot>(subject, msg::stop{signo, 1s}).code
          == fault::invalid_config);
  }
  CHECK(times_logged("signal web-1 0") == 0);
}

TEST_CASE_METHOD(fixture, "a signal goes to init, or to all", "[container]") {
  running();
  ask<msg::snapshot>(subject, msg::kill{SIGHUP, false});
  CHECK(logged("signal web-1 1"));
  CHECK_FALSE(logged("signal_all 1"));
  ask<msg::snapshot>(subject, msg::kill{SIGHUP, true});
  CHECK(logged("signal_all 1"));
}

// -- stop ---------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "stop answers once the container is reaped",
                 "[container][stop]") {
  running();
  auto stopping = send(subject, msg::stop{SIGTERM, 10s});
  CHECK_FALSE(answered());
  CHECK(logged("signal web-1 15"));
  CHECK(now().waiting_for == "stop");

  SECTION("at once, when the process obeys SIGTERM") {
    exits("web-1", 0);
    CHECK(taken<msg::snapshot>(stopping).status == status::stopped);
    pass(11s, 1s);
    CHECK_FALSE(logged("signal web-1 9"));
  }

  SECTION("after SIGKILL to all, when it does not") {
    pass(9'990ms, 1s);
    CHECK_FALSE(logged("signal web-1 9"));
    pass(10ms);
    CHECK(logged("signal web-1 9"));
    CHECK(logged("signal_all 9"));
    CHECK(taken<msg::snapshot>(stopping).exit_code == 137);
  }

  SECTION("with an error, when not even SIGKILL helps") {
    shim->deadly.clear();
    pass(20s, 1s);
    const auto why = refusal<msg::snapshot>(stopping);
    CHECK(why.code == fault::timed_out);
    CHECK(now().status == status::running);
    CHECK(now().waiting_for.empty());
  }
}

TEST_CASE_METHOD(fixture, "a second stop joins the first",
                 "[container][stop]") {
  running();
  auto first = send(subject, msg::stop{SIGTERM, 100s});
  auto second = send(subject, msg::stop{SIGTERM, 1s});
  CHECK(times_logged("signal web-1 15") == 1);
  pass(1s); // The shorter grace holds.
  CHECK(taken<msg::snapshot>(first).exit_signal == SIGKILL);
  CHECK(taken<msg::snapshot>(second).exit_signal == SIGKILL);
}

TEST_CASE_METHOD(fixture, "stop of what waits for start kills at once",
                 "[container][stop]") {
  created();
  CHECK(ask<msg::snapshot>(subject, msg::stop{SIGTERM, 10s}).status
        == status::stopped);
  CHECK_FALSE(logged("signal web-1 15"));
}

TEST_CASE_METHOD(fixture, "stop of a paused container thaws it",
                 "[container][stop]") {
  paused();
  auto stopping = send(subject, msg::stop{SIGTERM, 10s});
  CHECK(now().status == status::running);
  CHECK(group->state == cgroup::freeze_state::thawed);
  exits("web-1", 143, SIGTERM);
  CHECK(taken<msg::snapshot>(stopping).exit_signal == SIGTERM);
}

TEST_CASE_METHOD(fixture, "stop of a stopped container succeeds at once",
                 "[container][stop]") {
  stopped();
  CHECK(ask<msg::snapshot>(subject, msg::stop{SIGTERM, 10s}).exit_code == 3);
  CHECK_FALSE(logged("signal web-1 15"));
}

// -- looking ------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "processes come from the cgroup and /proc",
                 "[container]") {
  running();
  group->pids = {::getpid(), 999'999'999}; // The second is gone.
  const auto all = ask<msg::process_list>(subject, msg::list_processes{}).all;
  REQUIRE(all.size() == 1);
  CHECK(all[0].pid == ::getpid());
  CHECK(all[0].ppid == ::getppid());
  CHECK(all[0].uid == ::getuid());
  CHECK(all[0].rss > 0);
}

TEST_CASE_METHOD(fixture, "a stopped container has no processes",
                 "[container]") {
  stopped();
  CHECK(refused<msg::process_list>(subject, msg::list_processes{}).code
        == fault::wrong_state);
}

TEST_CASE_METHOD(fixture, "counters are the cgroup's", "[container]") {
  running();
  const auto stats = ask<msg::stats>(subject, msg::read_stats{});
  CHECK(stats.id == "web-1");
  CHECK(stats.read > 0);
  CHECK(stats.used.memory.usage == 4096);
  CHECK(stats.used.pids_current == -1);
}

TEST_CASE_METHOD(fixture, "without a cgroup there is nothing to freeze or read",
                 "[container]") {
  plan.cgroup.mode = plan::cgroup_mode::none;
  running();
  CHECK(refused<msg::snapshot>(subject, msg::pause{}).code
        == fault::unsupported);
  CHECK(refused<msg::stats>(subject, msg::read_stats{}).code
        == fault::unsupported);
  CHECK(now().status == status::running);
}

TEST_CASE_METHOD(fixture, "a log's choices reach the shim", "[container]") {
  spawn();
  auto x = request();
  SECTION("the settings' where none is made") {
    ask<msg::snapshot>(subject, x);
    CHECK(shim->last_log.driver == shim::log_driver::k8s_file);
    CHECK(shim->last_log.max_files == with->settings->log_max_files);
    CHECK(shim->last_log.when_full == shim::overflow::drop);
    CHECK(now().log_driver == "k8s-file");
    CHECK(now().log_mode == "non-blocking");
  }
  SECTION("those that are made") {
    x.log = {"json-file", "/var/log/x", 4096, 2, "blocking"};
    ask<msg::snapshot>(subject, x);
    CHECK(shim->last_log
          == shim::log_options{shim::log_driver::json_file, "/var/log/x", 4096,
                               2, shim::overflow::block});
    CHECK(now().log_path == "/var/log/x");
  }
  SECTION("a journal is waited for") {
    x.log.driver = "journald";
    ask<msg::snapshot>(subject, x);
    CHECK(shim->last_log.path == "/run/systemd/journal/socket");
    CHECK(now().log_mode == "blocking");
  }
  SECTION("not what it cannot be") {
    x.log.driver = "passthrough";
    CHECK(refused<msg::snapshot>(subject, x).what.starts_with("/log/driver: "));
    CHECK_FALSE(logged("launch web-1"));
  }
}

TEST_CASE_METHOD(fixture, "a client's socket goes to the shim", "[container]") {
  running();
  ask<msg::done>(subject, msg::attach{nullptr, true, true});
  CHECK(logged("attach web-1"));
}

TEST_CASE_METHOD(fixture, "a failing log shows in the snapshot",
                 "[container]") {
  running();
  auto x = shim->records["web-1"];
  x.log = {100, 60, 40, ENOSPC, {{ENOSPC, 40}}};
  x.attached = {3, 7};
  record(x);
  settle();
  const auto output = msg::output_counters{100,      60, 40, {{"ENOSPC", 40}},
                                           "ENOSPC", 3,  7};
  CHECK(now().output == output);
  CHECK(published.back().output == output);
}

TEST_CASE_METHOD(fixture, "a container ends with its supervisor",
                 "[container]") {
  running();
  auto x = msg::create_exec{};
  x.args = {"sh"};
  ask<msg::exec_created>(subject, x);
  self->monitor(subject);
  self->send_exit(supervisor, caf::exit_reason::user_shutdown);
  settle();
  auto down = false;
  self->receive(
    [&](const caf::down_msg& gone) { down = gone.source == subject; });
  CHECK(down);
  CHECK_FALSE(logged("signal web-1 9")); // Its processes do not.
  CHECK(status_on_disk("web-1") == "running");
}

} // namespace troupe::container_test
