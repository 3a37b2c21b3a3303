#include "runtime/store/store.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::store_test {

namespace {

store::state state_of(const std::string& id) {
  store::state out;
  out.id = id;
  out.status = "running";
  out.bundle = "/srv/" + id;
  out.pid = 42;
  out.exit_code = 3;
  out.exit_signal = 9;
  out.oom_killed = true;
  out.oom_kills = 7;
  out.error = "exec: \xff: ENOENT";
  out.created = 1'700'000'000'123'456'789;
  out.started = 2;
  out.finished = 3;
  out.log_path = "/run/log";
  out.auto_remove = true;
  out.stdin_open = true;
  return out;
}

plan::launch_plan plan_of(const std::string& id) {
  plan::launch_plan out;
  out.id = id;
  out.bundle = "/srv/" + id;
  return out;
}

mode_t mode_of(const std::string& path) {
  struct stat is {};
  REQUIRE(::lstat(path.c_str(), &is) == 0);
  return is.st_mode & 07777;
}

struct fixture {
  fixture() : store(scratch / "run") {
    REQUIRE(store.prepare());
  }

  void put(const std::string& id) {
    REQUIRE(store.make(id));
    REQUIRE(store.write_config(id, "{}"));
    REQUIRE(store.write_plan(plan_of(id)));
    REQUIRE(store.write_state(state_of(id)));
  }

  /// The one container on disk.
  store::found only() {
    auto all = store.load().value();
    REQUIRE(all.size() == 1);
    return all[0];
  }

  test::scratch_directory scratch;
  store::directory store;
};

} // namespace

TEST_CASE_METHOD(fixture, "a stored container is found again", "[store]") {
  put("web-1");
  const auto back = only();
  CHECK(back.problem.what.empty());
  REQUIRE(back.usable);
  CHECK(back.id == "web-1");
  auto expected = state_of("web-1");
  expected.error = "exec: \xEF\xBF\xBD: ENOENT"; // JSON has no other bytes.
  CHECK(back.state == expected);
  CHECK(back.plan == plan_of("web-1"));
  CHECK(store.read_config("web-1").value() == "{}");
}

TEST_CASE_METHOD(fixture, "everything stored is private", "[store][rule-9]") {
  put("web-1");
  CHECK(mode_of(scratch / "run") == 0700);
  CHECK(mode_of(scratch / "run/containers") == 0700);
  CHECK(mode_of(store.path_of("web-1")) == 0700);
  for (const auto* name : {"/config.json", "/plan.cbor", "/state.json"})
    CHECK(mode_of(store.path_of("web-1") + name) == 0600);
}

TEST_CASE_METHOD(fixture, "new limits take the place of the old ones",
                 "[store]") {
  put("web-1");
  REQUIRE(store.write_config(
    "web-1", R"({"linux":{"resources":{"pids":{"limit":1}}},"hostname":"w"})"));
  CHECK_FALSE(store.read_limits("web-1").value());
  plan::kept_limits limits;
  limits.resources = R"({"pids":{"limit":2}})";
  limits.cgroup.dirs.push_back({"pids", "/sys/fs/cgroup/pids", "/web-1"});
  REQUIRE(store.write_limits("web-1", limits));
  CHECK(store.read_limits("web-1").value() == limits);
  CHECK(only().plan.cgroup == limits.cgroup);
  CHECK(store.read_config("web-1").value()
        == R"({"hostname":"w","linux":{"resources":{"pids":{"limit":2}}}})");
  CHECK(mode_of(store.path_of("web-1") + "/limits.cbor") == 0600);
}

TEST_CASE_METHOD(fixture, "damaged limits are named", "[store][bad]") {
  put("web-1");
  scratch.write("run/containers/web-1/limits.cbor", "no cbor");
  CHECK_FALSE(only().usable);
  CHECK_THAT(only().problem.what, Catch::Contains("limits.cbor"));
}

TEST_CASE_METHOD(fixture, "a state replaces the one before", "[store]") {
  put("web-1");
  auto next = state_of("web-1");
  next.status = "stopped";
  next.error.clear();
  REQUIRE(store.write_state(next));
  CHECK(only().state == next);
}

TEST_CASE_METHOD(fixture, "a write that was cut off leaves the old state",
                 "[store]") {
  put("web-1");
  scratch.write("run/containers/web-1/state.json.new", "{\"id\":\"we");
  CHECK(only().usable);
  REQUIRE(store.write_state(state_of("web-1")));
  CHECK(only().usable);
}

TEST_CASE_METHOD(fixture, "a damaged container is found with its problem",
                 "[store]") {
  put("web-1");
  std::string expected;
  SECTION("without a state") {
    REQUIRE(::unlink((store.path_of("web-1") + "/state.json").c_str()) == 0);
    expected = "state.json: ENOENT";
  }
  SECTION("with half a state") {
    scratch.write("run/containers/web-1/state.json", "{\"id\":\"web-1\"");
    expected = "state.json: line 1";
  }
  SECTION("with a state of wrong types") {
    scratch.write("run/containers/web-1/state.json",
                  R"({"id":"web-1","status":7})");
    expected = "state.json: /status: expected a string, found 7";
  }
  SECTION("with another one's state") {
    scratch.write("run/containers/web-1/state.json",
                  R"({"id":"db","status":"running","bundle":"/","created":1})");
    expected = "it is of 'db'";
  }
  SECTION("without a plan") {
    REQUIRE(::unlink((store.path_of("web-1") + "/plan.cbor").c_str()) == 0);
    expected = "plan.cbor: ENOENT";
  }
  SECTION("with a plan that is none") {
    scratch.write("run/containers/web-1/plan.cbor", "no cbor");
    expected = "plan.cbor: ";
  }
  const auto damaged = only();
  CHECK_FALSE(damaged.usable);
  CHECK(damaged.id == "web-1");
  CHECK_THAT(damaged.problem.what, Catch::Contains(expected));
}

TEST_CASE_METHOD(fixture, "what cannot be read now is not taken for damaged",
                 "[store][bad]") {
  put("web-1");
  const auto state = store.path_of("web-1") + "/state.json";
  REQUIRE(::unlink(state.c_str()) == 0);
  REQUIRE(::symlink("/proc/self/mem", state.c_str()) == 0); // reads as EIO
  const auto all = store.load();
  REQUIRE_FALSE(all);
  CHECK(all.error().os_errno == EIO);
  CHECK_THAT(all.error().what, Catch::Contains("web-1/state.json"));
}

TEST_CASE_METHOD(fixture, "a container of a taken id is refused", "[store]") {
  put("web-1");
  const auto again = store.make("web-1");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == fault::already_exists);
}

TEST_CASE_METHOD(fixture, "an id that leads elsewhere is refused",
                 "[store][rule-8]") {
  scratch.write("run/victim/keep", "");
  for (const auto* id : {"../victim", "..", ".", "", "a/b"}) {
    INFO(id);
    CHECK_FALSE(store.make(id));
    CHECK_FALSE(store.remove(id));
    CHECK_FALSE(store.read_config(id));
    CHECK_FALSE(store.write_config(id, ""));
    CHECK_FALSE(store.write_plan(plan_of(id)));
    CHECK_FALSE(store.write_state(state_of(id)));
  }
  CHECK(std::filesystem::exists(scratch / "run/victim/keep"));
}

TEST_CASE_METHOD(fixture, "what is no container is passed over", "[store]") {
  put("web-1");
  scratch.write("run/containers/.hidden/state.json", "");
  CHECK(store.load().value().size() == 1);
}

TEST_CASE_METHOD(fixture, "a removed container is gone, twice", "[store]") {
  put("web-1");
  put("web-2");
  scratch.write("run/containers/web-1/log", "output");
  scratch.write("run/containers/web-1/log.1", "output");
  REQUIRE(store.remove("web-1"));
  CHECK_FALSE(std::filesystem::exists(store.path_of("web-1")));
  CHECK(store.remove("web-1"));
  CHECK(only().id == "web-2");
}

TEST_CASE_METHOD(fixture, "removing follows no link", "[store]") {
  put("web-1");
  scratch.write("elsewhere/keep", "kept");
  std::filesystem::create_symlink(scratch / "elsewhere",
                                  store.path_of("web-1") + "/log");
  REQUIRE(store.remove("web-1"));
  CHECK(scratch.read("elsewhere/keep") == "kept");
  std::filesystem::create_symlink(scratch / "elsewhere",
                                  store.path_of("web-2"));
  CHECK_FALSE(store.remove("web-2"));
  CHECK(scratch.read("elsewhere/keep") == "kept");
}

TEST_CASE_METHOD(fixture, "a prepared root stays as it is", "[store]") {
  put("web-1");
  REQUIRE(store.prepare());
  CHECK(only().usable);
}

TEST_CASE("a root that others can write to is refused", "[store][rule-9]") {
  const test::scratch_directory scratch;
  REQUIRE(::chmod(scratch.path().c_str(), 0777) == 0);
  const auto prepared = store::directory{scratch.path()}.prepare();
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().code == fault::denied);
}

} // namespace troupe::store_test
