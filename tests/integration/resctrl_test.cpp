#include "tests/support/box_spec.hpp"
#include "tests/support/sleeping_container.hpp"

// No machine of ours has resctrl. An ordinary directory stands for it where
// only our own behaviour counts: which files are written, with what, when. The
// kernel's (files that come with a new directory, its checks) is not shown.

namespace troupe::resctrl_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// A directory with a class that somebody has made.
struct stand_in {
  explicit stand_in(const test::busybox_rootfs& fs)
    : mount(fs.bundle() + "/resctrl"), group(mount + "/gold") {
    std::filesystem::create_directories(group);
    std::ofstream{group + "/tasks"} << "";
    std::ofstream{group + "/schemata"} << "    L3:0=07f;1=7ff\n    MB:0=100\n";
    host.resctrl_mount = mount;
  }

  std::string mount;
  std::string group;
  plan::host_facts host;
};

oci::spec in_class(const std::string& name) {
  auto spec = test::box_spec("true");
  spec.linux_.intel_rdt.emplace().clos_id = name;
  return spec;
}

} // namespace

TEST_CASE(
  "init is entered into its resctrl class (a directory stands for it)") {
  test::busybox_rootfs fs;
  const stand_in rdt{fs};
  auto spec = in_class("gold");
  SECTION("named alone") {
  }
  SECTION("described as it is") {
    spec.linux_.intel_rdt->l3_cache_schema = "L3:0=7F;1=7ff";
    spec.linux_.intel_rdt->mem_bw_schema = "MB:0=100";
  }
  const auto plan = test::planned(spec, fs, rdt.host);
  auto box = test::create(plan);
  REQUIRE(box.created());
  CHECK(test::host_traces::slurp(rdt.group + "/tasks")
        == std::to_string(box.pid()) + "\n");
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  // A class that the configuration names is never removed.
  test::launched teardown{
    [&](const auto& with) { return launch::run_teardown(plan, with.report); }};
  CHECK(teardown.launcher_code() == 0);
  CHECK(std::filesystem::exists(rdt.group));
}

TEST_CASE("an exec session is entered into its container's resctrl class (a "
          "directory stands for it)") {
  test::busybox_rootfs fs;
  const stand_in rdt{fs};
  auto spec = in_class("gold");
  spec.process->args = {"sleep", "1000"};
  const auto plan = test::planned(spec, fs, rdt.host);
  test::sleeping_container box{plan};
  oci::process process;
  process.args = {"true"};
  process.cwd = "/";
  const auto session = plan::compile_exec(process, plan, rdt.host, "s");
  REQUIRE(session);
  std::filesystem::resize_file(rdt.group + "/tasks", 0);
  auto run = box.exec(*session);
  REQUIRE(run.created());
  CHECK(test::host_traces::slurp(rdt.group + "/tasks")
        == std::to_string(run.launcher_pid())
             + "\n"); // the session inherits it
  REQUIRE_FALSE(run.start());
  CHECK(run.wait().code == 0);
}

TEST_CASE("a resctrl class of another schema is refused (a directory stands "
          "for it)") {
  test::busybox_rootfs fs;
  const stand_in rdt{fs};
  auto spec = in_class("gold");
  spec.linux_.intel_rdt->l3_cache_schema = "L3:0=3f";
  const auto why = test::refused_after([] {},
                                       test::planned(spec, fs, rdt.host));
  CHECK(why.os_errno == EEXIST);
  CHECK_THAT(why.what, StartsWith("/linux/intelRdt: intel_rdt: the class is "
                                  "there with another schema than"));
  CHECK(test::host_traces::slurp(rdt.group + "/tasks").empty());
}

TEST_CASE("a resctrl class that is named alone has to exist (a directory "
          "stands for it)") {
  test::busybox_rootfs fs;
  const stand_in rdt{fs};
  const auto why = test::refused_after(
    [] {}, test::planned(in_class("silver"), fs, rdt.host));
  CHECK(why.os_errno == ENOENT);
  CHECK_THAT(why.what, StartsWith("/linux/intelRdt: "));
}

TEST_CASE("what a failed launch made of resctrl is removed (a directory stands "
          "for it)") {
  test::busybox_rootfs fs;
  const stand_in rdt{fs};
  auto spec = test::box_spec("true");
  // An ordinary directory has no schemata or tasks file: each of these fails.
  spec.linux_.intel_rdt.emplace();
  SECTION("a class of the container's own, at its schema") {
    spec.linux_.intel_rdt->schemata = {"L3:0=1"};
  }
  SECTION("a class of the container's own, at its tasks") {
  }
  SECTION("a named class that was not there") {
    spec.linux_.intel_rdt->clos_id = "silver";
    spec.linux_.intel_rdt->schemata = {"L3:0=1"};
  }
  const auto why = test::refused_after([] {},
                                       test::planned(spec, fs, rdt.host));
  CHECK(why.os_errno == ENOENT);
  CHECK_THAT(why.what, StartsWith("/linux/intelRdt: "));
  auto left = std::vector<std::string>{};
  for (const auto& each : std::filesystem::directory_iterator{rdt.mount})
    left.push_back(each.path().filename());
  CHECK(left == std::vector<std::string>{"gold"});
}

} // namespace troupe::resctrl_test
