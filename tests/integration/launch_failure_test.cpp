#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

namespace troupe::launch_failure_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// A plan that must not be created; nothing may be left of the attempt.
launch::report refused(const plan::launch_plan& plan) {
  const test::host_traces before;
  auto box = test::create(plan);
  REQUIRE(box.failed());
  CHECK_FALSE(box.created());
  CHECK(box.launcher_code() == 1);
  if (box.pidfd() >= 0)
    CHECK(box.wait().shell_code() != 0);
  CHECK(before == test::host_traces{});
  return *box.failed();
}

} // namespace

TEST_CASE("a program that is not there fails the create with ENOENT") {
  test::busybox_rootfs fs;
  const auto name = GENERATE("nowhere", "/bin/nowhere", "./nowhere", "");
  const auto plan = test::default_plan(fs, {name});
  const auto why = refused(plan);
  CHECK(why.phase == plan::phase::exec);
  CHECK(why.os_errno == ENOENT);
  CHECK(launch::to_failure(why, &plan).code == fault::command_not_found);
}

TEST_CASE("a program that cannot be executed fails the create with EACCES") {
  test::busybox_rootfs fs;
  fs.write("bin/text", "no program");
  const auto name = GENERATE("text", "/bin/text", "/etc");
  const auto plan = test::default_plan(fs, {name});
  const auto why = refused(plan);
  CHECK(why.phase == plan::phase::exec);
  CHECK(why.os_errno == EACCES);
  CHECK(launch::to_failure(why, &plan).code == fault::command_not_executable);
}

TEST_CASE("a file of no executable format fails the start") {
  test::busybox_rootfs fs;
  fs.write("bin/text", "no program");
  REQUIRE(::chmod((fs.root() / "bin/text").c_str(), 0755) == 0);
  auto box = test::create(test::default_plan(fs, {"text"}));
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::exec);
  CHECK(why->os_errno == ENOEXEC);
  CHECK(box.wait().code == 126);
}

TEST_CASE("a container without a program can be created but not started") {
  test::busybox_rootfs fs;
  auto box = test::create(test::default_plan(fs, {}));
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::exec);
}

TEST_CASE("init ends by itself when its caller is gone before the start") {
  test::busybox_rootfs fs;
  auto box = std::make_unique<test::launched>([&](const auto& with) {
    return launch::run_create(test::default_plan(fs, {"true"}), with);
  });
  REQUIRE(box->created());
  box->abandon();
  CHECK(box->wait().code == 0);
}

TEST_CASE("a failing step is named with its place in the plan") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  SECTION("a bind source that is missing") {
    plan.rootfs.mounts.push_back(test::bind("/nowhere/at/all", "/data"));
    plan.rootfs.mounts.back().origin = "/mounts/6";
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::mount);
    CHECK(why.index == 6);
    CHECK(why.os_errno == ENOENT);
    CHECK(launch::to_failure(why, &plan).what
          == "/mounts/6: mount /data: open_tree /nowhere/at/all: ENOENT (No "
             "such file or directory)");
  }
  SECTION("a mount option that the filesystem does not know") {
    plan.rootfs.mounts.push_back(
      test::filesystem("tmpfs", "/data", 0, {"size=many"}));
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::mount);
    CHECK(why.index == 6);
    CHECK_THAT(std::string{why.subject_text()},
               StartsWith("fsconfig size=many: EINVAL") && Contains("tmpfs"));
  }
  SECTION("a root that is missing") {
    plan.rootfs.path = "/nowhere";
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::rootfs);
    CHECK(why.os_errno == ENOENT);
  }
  SECTION("a sysctl that is missing") {
    plan.sysctls = {{"net.ipv4.no_such_thing", "1", ""}};
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::sysctl);
    CHECK(why.os_errno == ENOENT);
  }
  SECTION("a namespace to join that is missing") {
    plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
    plan.namespaces.joins = {{CLONE_NEWNET, "/nowhere/net", ""}};
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::join_namespace);
    CHECK(why.os_errno == ENOENT);
  }
  SECTION("a namespace of another kind than was said") {
    plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
    plan.namespaces.joins = {{CLONE_NEWNET, "/proc/self/ns/uts", ""}};
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::join_namespace);
    CHECK(why.os_errno == EINVAL);
  }
  SECTION("a terminal") {
    plan.process.terminal = true;
    CHECK(refused(plan).phase == plan::phase::console);
  }
  SECTION("a plan of another version") {
    plan.version = 99;
    CHECK(refused(plan).os_errno == EPROTO);
  }
}

} // namespace troupe::launch_failure_test
