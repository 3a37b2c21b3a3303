#include "tests/support/launched.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/rootfs.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace troupe::launch_hooks_test {

using Catch::Matchers::Contains;

namespace {

plan::hook shell(const std::string& script, std::int32_t timeout_s = 0) {
  return {"/bin/busybox", {"sh", "-c", script}, {"MARK=here"}, timeout_s, ""};
}

/// Appends a word and the state's status and pid to a file of the bundle.
plan::hook note(const std::string& log, const std::string& word) {
  return shell("echo " + word + " >> " + log + "; /bin/busybox cat >> " + log
               + "; echo >> " + log);
}

} // namespace

TEST_CASE("hooks run in order, each with the state of its moment") {
  test::busybox_rootfs fs;
  const auto log = fs.bundle() + "/log";
  auto plan = test::default_plan(fs, {"sh", "-c", "echo program"});
  plan.annotation_keys = {"a.key"};
  plan.annotation_values = {"a value"};
  plan.rootfs.mounts.push_back(test::bind(fs.bundle(), fs.bundle()));
  plan.hooks.prestart = {note(log, "prestart")};
  plan.hooks.create_runtime = {note(log, "createRuntime")};
  plan.hooks.create_container = {note(log, "createContainer")};
  plan.hooks.start_container = {note(log, "startContainer")};
  plan.hooks.poststart = {note(log, "poststart")};
  plan.hooks.poststop = {note(log, "poststop")};
  auto box = test::create(plan);
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  const auto pid = box.pid();
  test::launched poststart{[&](const auto& with) {
    return launch::run_poststart(plan, with.report, pid);
  }};
  CHECK(poststart.launcher_code() == 0);
  test::launched teardown{
    [&](const auto& with) { return launch::run_teardown(plan, with.report); }};
  CHECK(teardown.launcher_code() == 0);

  auto in = std::ifstream{log};
  const auto expect = [&](const std::string& word, const std::string& status) {
    std::string name;
    std::string state;
    std::getline(in, name);
    std::getline(in, state);
    CHECK(name == word);
    const auto json = nlohmann::json::parse(state);
    CHECK(json["ociVersion"] == "1.3.0");
    CHECK(json["id"] == plan.id);
    CHECK(json["status"] == status);
    CHECK(json["bundle"] == plan.bundle);
    CHECK(json["annotations"]["a.key"] == "a value");
    CHECK(json.value("pid", 0) == (status == "stopped" ? 0 : pid));
  };
  expect("prestart", "creating");
  expect("createRuntime", "creating");
  expect("createContainer", "creating");
  expect("startContainer", "created");
  expect("poststart", "running");
  expect("poststop", "stopped");
}

TEST_CASE("a hook has its own environment, arguments and directory only") {
  test::busybox_rootfs fs;
  const auto log = fs.bundle() + "/log";
  auto plan = test::default_plan(fs, {"true"});
  // The shell adds to its environment: what it was given is in environ.
  plan.hooks.prestart = {
    shell("(/bin/busybox pwd; /bin/busybox ls /proc/self/fd; "
          "/bin/busybox tr '\\0' '\\n' < /proc/$$/environ; :) > "
          + log)};
  CHECK(test::run(plan).status.code == 0);
  CHECK(test::host_traces::slurp(log)
        == fs.bundle() + "\n0\n1\n2\n3\nMARK=here\n");
}

TEST_CASE("a failing hook fails the create, with the end of what it said") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  const auto log = fs.bundle() + "/log";
  auto plan = test::default_plan(fs, {"true"});
  const auto bad = shell("echo it hurts >&2; exit 3");
  auto phase = plan::phase::hook_prestart;
  plan.hooks.poststop = {note(log, "poststop")};
  SECTION("prestart") {
    plan.hooks.prestart = {shell("true"), bad};
  }
  SECTION("createRuntime") {
    plan.hooks.create_runtime = {shell("true"), bad};
    phase = plan::phase::hook_create_runtime;
  }
  SECTION("createContainer") {
    plan.hooks.create_container = {shell("true"), bad};
    phase = plan::phase::hook_create_container;
  }
  auto box = test::create(plan);
  REQUIRE(box.failed());
  CHECK(box.failed()->phase == phase);
  CHECK(box.failed()->index == 1);
  CHECK(box.failed()->subject_text() == "/bin/busybox: exit code 3: it hurts");
  CHECK(box.wait().shell_code() != 0);
  CHECK_THAT(test::host_traces::slurp(log), Contains("poststop\n"));
  CHECK(before == test::host_traces{});
}

TEST_CASE("a failing startContainer hook fails the start") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  plan.hooks.start_container = {shell("exit 1")};
  auto box = test::create(plan);
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::hook_start_container);
  CHECK(box.wait().code == 1);
}

TEST_CASE("a hook that is no program says so") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  plan.hooks.prestart = {{"/no/hook", {}, {}, 0, ""}};
  auto box = test::create(plan);
  REQUIRE(box.failed());
  CHECK(box.failed()->subject_text()
        == "/no/hook: exit code 127: execve: No such file or directory");
}

TEST_CASE("a hook that takes too long is killed with what it started") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  plan.hooks.prestart = {
    shell("echo begun; /bin/busybox sleep 1000 & /bin/busybox sleep 1000", 1)};
  const auto begun = std::chrono::steady_clock::now();
  auto box = test::create(plan);
  REQUIRE(box.failed());
  CHECK(box.failed()->os_errno == ETIMEDOUT);
  CHECK_THAT(std::string{box.failed()->subject_text()}, Contains("begun"));
  const auto took = std::chrono::steady_clock::now() - begun;
  CHECK(took >= std::chrono::seconds{1});
  CHECK(took < test::patient(std::chrono::seconds{60}));
}

TEST_CASE("a hook that leaves its output open to others is not waited for") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  const auto pid_file = fs.bundle() + "/pid";
  plan.hooks.prestart = {
    shell("/bin/busybox sleep 1000 & echo $! > " + pid_file)};
  CHECK(test::run(plan).status.code == 0);
  auto left = 0;
  std::ifstream{pid_file} >> left;
  const auto sleeper = sys::open_pidfd(left);
  REQUIRE(sleeper);
  CHECK(sys::send_signal(sleeper->get(), SIGKILL));
}

TEST_CASE("failing poststop hooks are warnings, failing poststart is not") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  const auto log = fs.bundle() + "/log";
  plan.hooks.poststop = {shell("exit 4"), note(log, "second")};
  plan.hooks.poststart = {shell("exit 5"), note(log, "never")};
  test::launched teardown{
    [&](const auto& with) { return launch::run_teardown(plan, with.report); }};
  CHECK_FALSE(teardown.failed());
  REQUIRE(teardown.warnings().size() == 2); // and `done`
  CHECK(teardown.warnings()[0].kind == launch::report_kind::hook_warning);
  CHECK(teardown.warnings()[1].kind == launch::report_kind::done);
  CHECK_THAT(test::host_traces::slurp(log), Contains("second"));
  test::launched poststart{[&](const auto& with) {
    return launch::run_poststart(plan, with.report, 1);
  }};
  REQUIRE(poststart.failed());
  CHECK(poststart.failed()->phase == plan::phase::hook_poststart);
  CHECK_THAT(test::host_traces::slurp(log), !Contains("never"));
}

} // namespace troupe::launch_hooks_test
