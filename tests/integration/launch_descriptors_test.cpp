#include "runtime/linux/descriptors.hpp"
#include "tests/support/console.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/sleeping_container.hpp"

#include <algorithm>

namespace troupe::launch_descriptors_test {

using Catch::Matchers::Contains;

namespace {

/// In the launcher's process: makes 3, 4, ... files with their number as their
/// text, inheritable, after everything of the launch has moved out of the way.
void give_descriptors(launch::lines& with, const test::busybox_rootfs& fs,
                      int count) {
  constexpr auto above = 100;
  for (auto* line : {&with.report, &with.start, &with.stdout_fd,
                     &with.stderr_fd, &with.console})
    if (*line >= 0)
      *line = ::fcntl(*line, F_DUPFD_CLOEXEC, above);
  for (auto fd = 3; fd < 3 + count; ++fd) {
    const auto path = fs.bundle() + "/given-" + std::to_string(fd);
    std::ofstream{path} << "file " << fd << "\n";
    const auto file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    // Not the same number twice: dup2 would leave it close-on-exec.
    const auto high = ::fcntl(file, F_DUPFD_CLOEXEC, above);
    ::dup2(high, fd);
  }
  with.preserve_fds = count;
}

/// `ls` has one more, to list them with.
constexpr auto* list = "ls -1 /proc/self/fd";

} // namespace

TEST_CASE("preserved descriptors reach the program unchanged") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(
    fs, {"sh", "-c", std::string{list} + "; cat <&3; cat <&4; cat <&5"});
  SECTION("by themselves") {
  }
  SECTION("past namespaces that are joined, whose launcher forks") {
    plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
    plan.namespaces.joins = {{CLONE_NEWNET, "/proc/self/ns/net", ""}};
    plan.loopback_up = false;
  }
  SECTION("past mounts, hooks and no_new_privs") {
    plan.hooks.prestart = {{"/bin/true", {}, {}, 0, ""}};
    plan.process.no_new_privileges = true;
  }
  test::launched box{[&](auto with) {
    give_descriptors(with, fs, 3);
    return launch::run_create(plan, with);
  }};
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  CHECK(box.output() == "0\n1\n2\n3\n4\n5\n6\nfile 3\nfile 4\nfile 5\n");
}

TEST_CASE("what lies above the preserved descriptors does not get through",
          "[rule-5]") {
  test::busybox_rootfs fs;
  const auto plan = test::default_plan(fs, {"sh", "-c", list});
  test::launched box{[&](auto with) {
    give_descriptors(with, fs, 4);
    with.preserve_fds = 2;
    return launch::run_create(plan, with);
  }};
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  CHECK(box.output() == "0\n1\n2\n3\n4\n5\n");
}

TEST_CASE("the launch's own descriptors are never preserved", "[rule-5]") {
  test::busybox_rootfs fs;
  // Nobody made room: the lines have low numbers, and are close-on-exec, as is
  // all that a runtime opens.
  const auto plan = test::default_plan(fs, {"sh", "-c", list});
  test::launched box{[&](auto with) {
    REQUIRE(sys::close_all_on_exec());
    with.preserve_fds = 60;
    return launch::run_create(plan, with);
  }};
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  CHECK(box.output() == "0\n1\n2\n3\n");
}

TEST_CASE("hooks do not get the preserved descriptors") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  const auto log = fs.bundle() + "/log";
  plan.hooks.prestart = {
    {"/bin/busybox",
     {"sh", "-c", "/bin/busybox ls /proc/self/fd > " + log},
     {},
     0,
     ""}};
  test::launched box{[&](auto with) {
    give_descriptors(with, fs, 2);
    return launch::run_create(plan, with);
  }};
  REQUIRE(box.created());
  CHECK(test::host_traces::slurp(log) == "0\n1\n2\n3\n");
}

TEST_CASE("an exec session gets its preserved descriptors, terminal or not") {
  test::busybox_rootfs fs;
  test::sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto plan = container.session({"sh", "-c", std::string{list} + "; cat <&4"});
  std::string shown;
  SECTION("with pipes") {
    auto session = container.exec(
      plan, [&](auto& with) { give_descriptors(with, fs, 2); });
    REQUIRE_FALSE(session.start());
    CHECK(session.wait().code == 0);
    shown = session.output();
  }
  SECTION("with a terminal") {
    plan.process.terminal = true;
    test::console console;
    auto session = container.exec(plan, [&](auto& with) {
      console(with);
      give_descriptors(with, fs, 2);
    });
    console.take_master();
    REQUIRE_FALSE(session.start());
    shown = console.read_all();
    CHECK(session.wait().code == 0);
  }
  CHECK(shown == "0\n1\n2\n3\n4\n5\nfile 4\n");
}

} // namespace troupe::launch_descriptors_test
