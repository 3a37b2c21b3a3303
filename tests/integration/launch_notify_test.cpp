#include "runtime/compile/compile.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/seccomp_agent.hpp"
#include "tests/support/sleeping_container.hpp"

#include <sys/syscall.h>

namespace troupe::launch_notify_test {

using Catch::Matchers::Contains;

namespace {

/// A profile that notifies an agent in the bundle of `names`.
oci::seccomp notify(const test::busybox_rootfs& fs,
                    std::vector<std::string> names) {
  oci::seccomp out;
  out.default_action = "SCMP_ACT_ALLOW";
  out.listener_path = fs.bundle() + "/agent.sock";
  out.listener_metadata = "some data";
  out.syscalls = {{std::move(names), "SCMP_ACT_NOTIFY", {}, {}}};
  return out;
}

plan::launch_plan plan_of(const test::busybox_rootfs& fs,
                          const oci::seccomp& profile) {
  auto out = test::default_plan(fs, {"mkdir", "/tmp/made"});
  const auto filter = plan::compile_seccomp(profile);
  if (!filter)
    FAIL(filter.error().what);
  out.process.seccomp = *filter;
  return out;
}

void go_on(int, seccomp_notif_resp& response) {
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

void spoof_mkdir(int number, seccomp_notif_resp& response) {
  if (number == SYS_mkdir || number == SYS_mkdirat)
    response.error = -EDOM;
  else
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

constexpr auto* spoofed
  = "mkdir: can't create directory '/tmp/made': Numerical argument out of "
    "domain\n";

} // namespace

TEST_CASE("an agent answers for a container, and knows which it is") {
  test::busybox_rootfs fs;
  const auto profile = notify(fs, {"mkdir", "mkdirat"});
  auto plan = plan_of(fs, profile);
  plan.annotation_keys = {"key"};
  plan.annotation_values = {"value"};
  plan.process.no_new_privileges = GENERATE(false, true);
  CAPTURE(plan.process.no_new_privileges);
  test::seccomp_agent agent{profile.listener_path, spoof_mkdir};
  auto box = test::create(plan);
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 1);
  CHECK(box.output() == spoofed);
  const auto state = agent.state();
  CHECK(agent.answered() == 1);
  CHECK(state
        == nlohmann::json{{"ociVersion", "1.3.0"},
                          {"fds", {"seccompFd"}},
                          {"pid", box.pid()},
                          {"metadata", "some data"},
                          {"state",
                           {{"ociVersion", "1.3.0"},
                            {"id", plan.id},
                            {"status", "created"},
                            {"pid", box.pid()},
                            {"bundle", plan.bundle},
                            {"annotations", {{"key", "value"}}}}}});
}

TEST_CASE("an agent may be asked about everything, the launch included") {
  test::busybox_rootfs fs;
  auto profile = notify(fs, {"mkdir"});
  profile.default_action = "SCMP_ACT_NOTIFY";
  profile.syscalls.clear();
  auto plan = plan_of(fs, profile);
  plan.process.no_new_privileges = GENERATE(false, true);
  plan.process.uid = 1000;
  CAPTURE(plan.process.no_new_privileges);
  ::chmod((fs.root() / "tmp").c_str(), 0777);
  test::seccomp_agent agent{profile.listener_path, go_on};
  const auto ran = test::run(plan);
  CHECK(ran.status.code == 0);
  CHECK(ran.output.empty());
  agent.state();
  CHECK(agent.answered() > 10);
  CHECK(std::filesystem::exists(fs.root() / "tmp/made"));
}

TEST_CASE("the descriptor gets out although the filter forbids its sender") {
  test::busybox_rootfs fs;
  auto profile = notify(fs, {"mkdir", "mkdirat"});
  profile.syscalls.push_back(
    {{"sendmsg", "sendto", "close", "futex", "sched_yield", "nanosleep",
      "clock_nanosleep", "write", "munmap", "madvise", "exit"},
     "SCMP_ACT_KILL_PROCESS",
     {},
     {}});
  auto plan = plan_of(fs, profile);
  plan.process.args = {"mkdir", "-p", "/tmp/made"};
  plan.process.no_new_privileges = true;
  test::seccomp_agent agent{profile.listener_path, go_on};
  const auto ran = test::run(plan);
  CHECK(ran.status.code == 0);
  CHECK(ran.status.signal == 0);
  CHECK(std::filesystem::exists(fs.root() / "tmp/made"));
}

TEST_CASE("an exec session has a listener of its own") {
  test::busybox_rootfs fs;
  const auto profile = notify(fs, {"mkdir", "mkdirat"});
  auto quiet = plan_of(fs, profile);
  const auto filter = std::exchange(quiet.process.seccomp, {});
  quiet.process.args = {"sleep", "1000"};
  test::sleeping_container container{quiet};
  auto plan = container.session({"mkdir", "/tmp/made"});
  plan.process.seccomp = filter;
  plan.annotation_keys = {"a"};
  plan.annotation_values = {"b"};
  test::seccomp_agent agent{profile.listener_path, spoof_mkdir};
  auto session = container.exec(plan);
  REQUIRE(session.created());
  REQUIRE_FALSE(session.start());
  CHECK(session.wait().code == 1);
  CHECK(session.output() == spoofed);
  const auto state = agent.state();
  CHECK(state["pid"] == session.pid());
  CHECK(state["state"]["pid"] == container.pid());
  CHECK(state["state"]["status"] == "running");
  CHECK(state["state"]["id"] == plan.id);
  CHECK(state["state"]["bundle"] == quiet.bundle);
  CHECK(state["state"]["annotations"]["a"] == "b");
}

TEST_CASE("the descriptor of the notifications is not the program's",
          "[rule-5]") {
  test::busybox_rootfs fs;
  const auto profile = notify(fs, {"mkdir", "mkdirat"});
  auto plan = plan_of(fs, profile);
  plan.process.args = {"ls", "/proc/self/fd"};
  test::seccomp_agent agent{profile.listener_path, go_on};
  CHECK(test::run(plan).output == "0\n1\n2\n3\n");
}

TEST_CASE("a listener that is not there fails the create with its place") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto profile = notify(fs, {"mkdir"});
  auto expected = ENOENT;
  SECTION("no socket") {
  }
  SECTION("no listener") {
    const auto gone = sys::stream_listen(profile.listener_path);
    expected = ECONNREFUSED;
  }
  SECTION("a path that is too long") {
    profile.listener_path = "/" + std::string(200, 'x');
    expected = ENAMETOOLONG;
  }
  const auto plan = plan_of(fs, profile);
  auto box = test::create(plan);
  REQUIRE(box.failed());
  CHECK(box.failed()->phase == plan::phase::seccomp);
  CHECK(box.failed()->os_errno == expected);
  CHECK_THAT(launch::to_failure(*box.failed(), &plan).what,
             Catch::StartsWith("/linux/seccomp/listenerPath: seccomp: connect "
                               "/"));
  CHECK(before == test::host_traces{});
}

TEST_CASE("an agent that is gone at the start fails the start") {
  test::busybox_rootfs fs;
  const auto profile = notify(fs, {"sendmsg", "sendto", "write"});
  const auto plan = plan_of(fs, profile);
  auto listener = sys::stream_listen(profile.listener_path).value();
  auto box = test::create(plan);
  REQUIRE(box.created());
  listener.reset();
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::seccomp);
  CHECK(why->index == 1);
  CHECK(box.wait().code == 1);
}

} // namespace troupe::launch_notify_test
