#include "runtime/linux/memory_policy.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/skipped.hpp"
#include "tests/support/sleeping_container.hpp"

#include <sched.h>
#include <sstream>
#include <sys/sysinfo.h>

namespace troupe::launch_attributes_test {

using Catch::Matchers::Contains;

namespace {

plan::launch_plan with(const test::busybox_rootfs& fs,
                       const plan::process_attributes& attributes) {
  auto out = test::default_plan(fs, {"true"});
  out.process.attributes = attributes;
  return out;
}

std::string shown_by(plan::launch_plan plan, const std::string& script) {
  const auto ran = test::run_shell(std::move(plan), script);
  CHECK(ran.status.code == 0);
  return ran.output;
}

/// Fields of /proc/PID/stat, from 1: proc(5).
struct scheduled {
  std::string nice;     // 19
  std::string priority; // 40
  std::string policy;   // 41
};

scheduled schedule_of(const plan::scheduler& how) {
  test::busybox_rootfs fs;
  auto attributes = plan::process_attributes{};
  attributes.scheduler = how;
  // Of the shell itself, not of a child: flags may reset those.
  const auto stat = shown_by(with(fs, attributes), "cat /proc/$$/stat");
  auto in = std::istringstream{stat.substr(stat.rfind(')') + 2)};
  scheduled out;
  auto number = 3;
  for (std::string field; in >> field; ++number) {
    if (number == 19)
      out.nice = field;
    if (number == 40)
      out.priority = field;
    if (number == 41)
      out.policy = field;
  }
  return out;
}

/// Why the start of such a container fails.
launch::report refusal_of(const plan::process_attributes& attributes) {
  test::busybox_rootfs fs;
  auto box = test::create(with(fs, attributes));
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(box.wait().code == 1);
  return *why;
}

plan::scheduler scheduler(std::uint32_t policy, std::int32_t nice = 0,
                          std::uint32_t priority = 0) {
  auto out = plan::scheduler{};
  out.set = true;
  out.policy = policy;
  out.nice = nice;
  out.priority = priority;
  return out;
}

} // namespace

TEST_CASE("the scheduler's policies take effect") {
  SECTION("niceness") {
    const auto x = schedule_of(scheduler(SCHED_OTHER, 7));
    CHECK(x.policy == "0");
    CHECK(x.nice == "7");
  }
  SECTION("batch") {
    const auto x = schedule_of(scheduler(SCHED_BATCH, -3));
    CHECK(x.policy == "3");
    CHECK(x.nice == "-3");
  }
  SECTION("idle") {
    CHECK(schedule_of(scheduler(SCHED_IDLE)).policy == "5");
  }
  SECTION("first in, first out") {
    const auto x = schedule_of(scheduler(SCHED_FIFO, 0, 11));
    CHECK(x.policy == "1");
    CHECK(x.priority == "11");
  }
  SECTION("round robin") {
    const auto x = schedule_of(scheduler(SCHED_RR, 0, 12));
    CHECK(x.policy == "2");
    CHECK(x.priority == "12");
  }
  SECTION("deadline, whose children are ordinary") {
    auto deadline = scheduler(6);
    deadline.flags = 1; // SCHED_FLAG_RESET_ON_FORK: else it cannot fork
    deadline.runtime = 1'000'000;
    deadline.deadline = 50'000'000;
    deadline.period = 100'000'000;
    CHECK(schedule_of(deadline).policy == "6");
  }
}

TEST_CASE("a schedule that the kernel refuses is a failed start") {
  auto attributes = plan::process_attributes{};
  attributes.scheduler = scheduler(SCHED_FIFO, 0, 1000);
  const auto why = refusal_of(attributes);
  CHECK(why.phase == plan::phase::scheduler);
  CHECK(why.os_errno == EINVAL);
}

TEST_CASE("the I/O priority is the process group's") {
  test::busybox_rootfs fs;
  auto attributes = plan::process_attributes{};
  attributes.io_priority = 2 << 13 | 3;
  CHECK(shown_by(with(fs, attributes), "busybox ionice -p $$")
        == "best-effort: prio 3\n");
  attributes.io_priority = 3 << 13;
  CHECK_THAT(shown_by(with(fs, attributes), "busybox ionice -p $$"),
             Contains("idle"));
}

TEST_CASE("the personality LINUX32 shows a 32 bit machine") {
  test::busybox_rootfs fs;
  auto attributes = plan::process_attributes{};
  attributes.set_personality = true;
  attributes.personality = 8;
  CHECK(shown_by(with(fs, attributes), "busybox uname -m; cat /proc/self/"
                                       "personality")
        == "i686\n00000008\n");
}

TEST_CASE("the memory policy is the program's") {
  if (!sys::has_memory_policies())
    return test::skipped("this kernel has no memory policies");
  test::busybox_rootfs fs;
  auto attributes = plan::process_attributes{};
  attributes.memory_policy = {true, 2, {0}};
  CHECK_THAT(shown_by(with(fs, attributes), "cat /proc/self/numa_maps"),
             Contains("bind:0"));
  attributes.memory_policy = {true, 2 | 1 << 15, {0}};
  CHECK_THAT(shown_by(with(fs, attributes), "cat /proc/self/numa_maps"),
             Contains("bind=static:0"));
  attributes.memory_policy.nodes = {1000};
  const auto why = refusal_of(attributes);
  CHECK(why.phase == plan::phase::memory_policy);
  CHECK(why.os_errno == EINVAL);
}

TEST_CASE("a label without its security module fails the start") {
  auto attributes = plan::process_attributes{};
  test::busybox_rootfs fs;
  auto expected = std::uint32_t{0};
  SECTION("AppArmor") {
    attributes.apparmor_profile = "no-such-profile";
  }
  SECTION("SELinux") {
    attributes.selinux_label = "system_u:system_r:no_such_t:s0";
    expected = 1;
  }
  const auto plan = with(fs, attributes);
  auto box = test::create(plan);
  auto why = box.failed(); // no attr/ at all without any module
  if (!why)
    why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::label);
  CHECK(why->index == expected);
}

TEST_CASE("a session keyring of its own, shared with exec sessions") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  SECTION("of the host's root") {
  }
  SECTION("in a user namespace") {
    plan.namespaces.clone_flags |= CLONE_NEWUSER;
    plan.namespaces.uid_map = {{0, 100000, 65536}};
    plan.namespaces.gid_map = {{0, 100000, 65536}};
  }
  plan.process.attributes.keyring = "_ses." + plan.id;
  // It lives as long as somebody is in it.
  plan.process.args = {"sh", "-c",
                       "grep _ses." + plan.id + " /proc/keys; exec sleep 1000"};
  auto container = test::create(plan);
  REQUIRE(container.created());
  REQUIRE_FALSE(container.start());
  const auto keyring = container.read_line();
  CHECK_THAT(keyring, Contains("_ses." + plan.id));
  auto session = plan::exec_plan{};
  session.id = plan.id;
  session.namespaces = plan.namespaces.clone_flags;
  session.process = plan.process;
  session.process.args = {"grep", "_ses." + plan.id, "/proc/keys"};
  test::launched exec{[&](const auto& with) {
    return launch::run_exec(session, with, container.pidfd());
  }};
  REQUIRE(exec.created());
  REQUIRE_FALSE(exec.start());
  CHECK(exec.wait().code == 0);
  constexpr std::size_t serial = 8;
  CHECK(exec.output().substr(0, serial) == keyring.substr(0, serial));
}

TEST_CASE("an exec session runs on the CPUs that it asks for") {
  test::busybox_rootfs fs;
  test::sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto plan = container.session(
    {"grep", "Cpus_allowed_list", "/proc/self/status"});
  auto expected = std::string{"0"};
  auto& wanted = plan.process.attributes;
  SECTION("final") {
    wanted.final_cpus = {0};
  }
  SECTION("initial and final") {
    if (::get_nprocs() == 1)
      return test::skipped("this machine has one CPU");
    wanted.initial_cpus = {1};
    wanted.final_cpus = {0};
  }
  SECTION("initial alone is for the way only") {
    wanted.initial_cpus = {0};
    auto list = test::host_traces::slurp("/sys/devices/system/cpu/online");
    expected = list.substr(0, list.find('\n'));
  }
  auto session = container.exec(plan);
  REQUIRE(session.created());
  REQUIRE_FALSE(session.start());
  CHECK(session.wait().code == 0);
  CHECK(session.output() == "Cpus_allowed_list:\t" + expected + "\n");
}

TEST_CASE("an exec session on CPUs that are not there is refused") {
  test::busybox_rootfs fs;
  test::sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto plan = container.session({"true"});
  plan.process.attributes.initial_cpus = {8000};
  auto session = container.exec(plan);
  REQUIRE(session.failed());
  CHECK(session.failed()->phase == plan::phase::cpu_affinity);
  CHECK(session.failed()->index == 0);
}

} // namespace troupe::launch_attributes_test
