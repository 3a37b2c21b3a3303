#include "actors/supervisor.hpp"
#include "tests/unit/actors/stage.hpp"

#include <unistd.h>

namespace troupe::supervisor_test {

using namespace std::chrono_literals;

using lifecycle::status;
using shim::process_state;

namespace {

struct fixture : test::stage {
  void begin() {
    subject = own(spawn_supervisor(system, with));
    settle();
  }

  static msg::create_container request(std::string id) {
    auto out = msg::create_container{};
    out.id = std::move(id);
    out.bundle = "/bundles/web";
    return out;
  }

  msg::snapshot create(const std::string& id) {
    return ask<msg::snapshot>(subject, request(id));
  }

  container_actor find(const std::string& id) {
    return ask<msg::container_found>(subject, msg::find_container{id})
      .container;
  }

  msg::snapshot run(const std::string& id) {
    create(id);
    return ask<msg::snapshot>(find(id), msg::start{});
  }

  static std::vector<msg::snapshot> flat(const msg::snapshots& x) {
    return {x.all.begin(), x.all.end()};
  }

  std::vector<msg::snapshot> list() {
    return flat(ask<msg::snapshots>(subject, msg::list_containers{}));
  }

  /// A container as an earlier supervisor has left it.
  void leave_on_disk(const std::string& id, status x) {
    auto state = store::state{};
    state.id = id;
    state.status = to_string(x);
    state.created = 1'000;
    auto its_plan = plan;
    its_plan.id = id;
    REQUIRE(store.make(id));
    REQUIRE(store.write_config(id, "{}"));
    REQUIRE(store.write_plan(its_plan));
    REQUIRE(store.write_state(state));
  }

  void leave_at_shim(const std::string& key, process_state x) {
    auto record = shim::record{};
    record.key = key;
    record.state = x;
    record.pid = 42;
    record.created = 1'500;
    shim->records[key] = record;
  }

  /// Why the supervisor has ended, if it has.
  std::optional<caf::error> ended() {
    self->monitor(subject);
    settle();
    std::optional<caf::error> out;
    if (self->has_next_message())
      self->receive([&](const caf::down_msg& x) { out = x.reason; });
    return out;
  }

  supervisor_actor subject;
};

} // namespace

// -- create, find, list -------------------------------------------------------

TEST_CASE_METHOD(fixture, "a container is created under its id",
                 "[supervisor]") {
  begin();
  CHECK(create("web-1").status == status::created);
  REQUIRE(list().size() == 1);
  CHECK(list()[0].id == "web-1");
  CHECK(list()[0].status == status::created);
}

TEST_CASE_METHOD(fixture, "without an id it gets one", "[supervisor]") {
  begin();
  const auto made = create("");
  CHECK(made.id.size() == 12);
  CHECK(find(made.id));
}

TEST_CASE_METHOD(fixture, "an id is taken once, even while it is made",
                 "[supervisor]") {
  begin();
  shim->held.insert("launch");
  auto first = send(subject, request("web-1"));
  CHECK(refused<msg::snapshot>(subject, request("web-1"))
        == failure{fault::already_exists, 0, "container web-1 already exists"});
  release();
  CHECK(taken<msg::snapshot>(first).status == status::created);
}

TEST_CASE_METHOD(fixture, "a bad id is refused", "[supervisor]") {
  begin();
  for (const auto* id : {"../x", "-x", "a b", "a/b"})
    CHECK(refused<msg::snapshot>(subject, request(id)).code
          == fault::invalid_config);
  CHECK(list().empty());
}

TEST_CASE_METHOD(fixture, "the id of a failed create is free at once",
                 "[supervisor]") {
  begin();
  plan_failure = failure{fault::invalid_config, 0, "/root: missing"};
  CHECK(refused<msg::snapshot>(subject, request("web-1")) == *plan_failure);
  CHECK(list().empty());
  plan_failure.reset();
  CHECK(create("web-1").status == status::created);
}

TEST_CASE_METHOD(fixture, "the id of a removed container is free at once",
                 "[supervisor]") {
  begin();
  create("web-1");
  ask<msg::snapshot>(find("web-1"), msg::remove{});
  CHECK(list().empty());
  CHECK(create("web-1").status == status::created);
  CHECK(list().size() == 1);
}

TEST_CASE_METHOD(fixture, "a container is found by the beginning of its id",
                 "[supervisor]") {
  begin();
  for (const auto* id : {"web-1", "web-2", "web-22", "web-3", "db"})
    create(id);
  CHECK(find("d") == find("db"));
  CHECK(find("web-1") == find("web-1"));
  CHECK(find("web-2") != find("web-22")); // An exact id wins.
  const auto ambiguous = refused<msg::container_found>(
    subject, msg::find_container{"web"});
  CHECK(ambiguous.code == fault::invalid_config);
  CHECK(ambiguous.what
        == "container id 'web' is ambiguous: web-1, web-2, web-22, ...");
  for (const auto* id : {"", "x", "web-4"})
    CHECK(refused<msg::container_found>(subject, msg::find_container{id}).code
          == fault::not_found);
}

TEST_CASE_METHOD(fixture, "the supervisor answers though a container is stuck",
                 "[supervisor]") {
  begin();
  run("web-1");
  shim->lost.insert("signal");
  send(find("web-1"), msg::stop{SIGTERM, 100s});
  const auto all = list();
  CHECK(all[0].waiting_for == "stop");
  CHECK_FALSE(answered());
}

TEST_CASE_METHOD(fixture, "host facts and counts are to be had",
                 "[supervisor]") {
  begin();
  run("web-1");
  create("web-2");
  shim->deadly.insert(SIGTERM);
  run("web-3");
  ask<msg::snapshot>(find("web-3"), msg::stop{SIGTERM, 1s});
  const auto host = ask<msg::host_info>(subject, msg::describe_host{});
  CHECK(host.pid == ::getpid());
  CHECK(host.shim_pid == 77);
  CHECK(host.spare_launchers == 1);
  CHECK(host.version == TROUPE_VERSION);
  CHECK_FALSE(host.kernel.empty());
  CHECK(host.kernel.find('\n') == std::string::npos);
  CHECK(host.containers == 3);
  CHECK(host.running == 1);
  CHECK(host.stopped == 1);
  CHECK(host.last_seq == static_cast<std::int64_t>(events->all.size()));
}

// -- adoption -----------------------------------------------------------------

TEST_CASE_METHOD(fixture, "requests wait until everything is adopted",
                 "[supervisor][adopt]") {
  leave_on_disk("web-1", status::running);
  leave_at_shim("web-1", process_state::running);
  shim->synced = false;
  begin();
  auto listing = send(subject, msg::list_containers{});
  auto creating = send(subject, request("web-1"));
  CHECK_FALSE(answered());
  tell(subject, msg::shim_synced{77, "0.1.0", 1, {shim->records["web-1"]}});
  const auto all = flat(taken<msg::snapshots>(listing));
  REQUIRE(all.size() == 1);
  CHECK(all[0].status == status::running);
  CHECK(all[0].pid == 42);
  CHECK(refusal<msg::snapshot>(creating).code == fault::already_exists);
}

TEST_CASE_METHOD(fixture, "disk and shim together say what there is",
                 "[supervisor][adopt]") {
  leave_on_disk("runs", status::running);
  leave_at_shim("runs", process_state::running);
  leave_at_shim("runs/0123456789ab", process_state::running);
  leave_on_disk("half", status::creating);
  leave_on_disk("lost", status::running);
  leave_on_disk("done", status::stopped);
  begin();
  const auto all = list();
  REQUIRE(all.size() == 3);
  CHECK(all[0].id == "done");
  CHECK(all[0].status == status::stopped);
  CHECK(all[1].id == "lost");
  CHECK(all[1].status == status::stopped);
  CHECK(all[1].exit_code == 255);
  CHECK(all[2].id == "runs");
  CHECK(all[2].status == status::running);
  CHECK(all[2].execs == std::vector<std::string>{"0123456789ab"});
  CHECK_FALSE(on_disk("half"));
}

TEST_CASE_METHOD(fixture, "what only the shim knows is killed and forgotten",
                 "[supervisor][adopt]") {
  leave_at_shim("ghost", process_state::running);
  leave_at_shim("ghost/0123456789ab", process_state::exited);
  begin();
  CHECK(logged("signal ghost 9"));
  CHECK(logged("forget ghost"));
  CHECK(logged("forget ghost/0123456789ab"));
  CHECK(shim->records.empty());
  CHECK(list().empty());
}

TEST_CASE_METHOD(fixture, "a directory without a state is cleared away",
                 "[supervisor][adopt]") {
  REQUIRE(store.make("half"));
  leave_at_shim("half", process_state::launching);
  begin();
  CHECK_FALSE(on_disk("half"));
  CHECK(logged("signal half 9"));
  CHECK(create("half").status == status::created);
}

TEST_CASE_METHOD(fixture, "a container actor that fails is rebuilt",
                 "[supervisor][crash]") {
  begin();
  run("web-1");
  const auto first = find("web-1");
  self->send_exit(first, caf::exit_reason::kill);
  settle();
  const auto second = find("web-1");
  CHECK(second != first);
  CHECK(list()[0].status == status::running);
  CHECK_FALSE(logged("signal web-1 9"));
  CHECK(event_types() == std::vector<std::string>{"created", "started"});
  exits("web-1", 6);
  CHECK(list()[0].exit_code == 6);
}

TEST_CASE_METHOD(fixture, "an exit while it is rebuilt is not missed",
                 "[supervisor][crash]") {
  begin();
  run("web-1");
  self->send_exit(find("web-1"), caf::exit_reason::kill);
  auto dead = shim->records["web-1"];
  dead.state = process_state::exited;
  dead.exit_code = 6;
  shim->records["web-1"] = dead;
  settle();
  CHECK(list()[0].status == status::stopped);
  CHECK(list()[0].exit_code == 6);
}

TEST_CASE_METHOD(fixture, "one that fails again and again is given up",
                 "[supervisor][crash]") {
  begin();
  run("web-1");
  for (auto i = 0; i < 4; ++i) {
    self->send_exit(find("web-1"), caf::exit_reason::kill);
    settle();
  }
  CHECK(
    refused<msg::container_found>(subject, msg::find_container{"web-1"}).code
    == fault::unavailable);
  CHECK(list()[0].error.find("failed too often") != std::string::npos);
}

// -- the end ------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "the supervisor ends, its containers do not",
                 "[supervisor][end]") {
  begin();
  run("web-1");
  ask<msg::done>(subject, msg::shut_down{});
  CHECK(ended() == caf::error{});
  CHECK_FALSE(logged("signal web-1 15"));
  CHECK_FALSE(logged("quit"));
  CHECK(status_on_disk("web-1") == "running");
}

TEST_CASE_METHOD(fixture, "or takes them and the shim along",
                 "[supervisor][end]") {
  begin();
  run("web-1");
  run("web-2");
  create("web-3");
  auto temporary = request("web-4");
  temporary.auto_remove = true;
  ask<msg::snapshot>(subject, temporary);
  ask<msg::snapshot>(find("web-4"), msg::start{});
  auto ending = send(subject, msg::shut_down{true, 10s});
  auto second = send(subject, msg::shut_down{true, 10s});
  CHECK(logged("signal web-1 15"));
  CHECK(logged("signal web-2 15"));
  CHECK(refused<msg::snapshot>(subject, request("web-5")).code
        == fault::unavailable);
  exits("web-1", 0);
  exits("web-4", 0);
  CHECK_FALSE(answered());
  CHECK_FALSE(logged("quit"));
  pass(10s, 1s); // web-2 is killed.
  taken<msg::done>(ending);
  taken<msg::done>(second);
  CHECK(ended() == caf::error{});
  CHECK(log->back() == "quit");
  CHECK(status_on_disk("web-2") == "stopped");
  CHECK_FALSE(on_disk("web-4"));
}

TEST_CASE_METHOD(fixture, "or the shim would keep the end of an exec session",
                 "[supervisor][end]") {
  begin();
  run("web-1");
  shim->deadly.insert(SIGTERM);
  auto shell = msg::create_exec{};
  shell.args = {"sh"};
  const auto made = ask<msg::exec_created>(find("web-1"), shell);
  ask<msg::exec_snapshot>(made.session, msg::start{});
  exits("web-1/" + made.now.id, 0);
  ask<msg::done>(subject, msg::shut_down{true, 1s});
  CHECK(shim->records.empty());
  CHECK(logged("event exec_exited"));
  CHECK(log->back() == "quit");
}

TEST_CASE_METHOD(fixture, "the end does not wait for ever",
                 "[supervisor][end]") {
  begin();
  shim->deadly.clear();
  run("web-1");
  auto ending = send(subject, msg::shut_down{true, 1s});
  pass(60s, 1s);
  taken<msg::done>(ending);
  CHECK(ended().has_value());
}

TEST_CASE_METHOD(fixture, "without its shim the supervisor ends in an error",
                 "[supervisor][end]") {
  begin();
  run("web-1");
  self->send_exit(with->shim, caf::exit_reason::kill);
  settle();
  const auto why = ended();
  REQUIRE(why.has_value());
  CHECK(from_caf(*why).code == fault::unavailable);
}

TEST_CASE_METHOD(fixture, "what waits for the adoption is told of the end",
                 "[supervisor][end]") {
  shim->synced = false;
  begin();
  auto creating = send(subject, request("web-1"));
  self->send_exit(with->shim, caf::exit_reason::kill);
  settle();
  CHECK(refusal<msg::snapshot>(creating).code == fault::unavailable);
}

} // namespace troupe::supervisor_test
