#include "runtime/cgroup/cgroup.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

namespace troupe::launch_namespaces_test {

using Catch::Matchers::Contains;

namespace {

std::string ns_of(pid_t pid, const std::string& kind) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/"
                                       + kind)
    .string();
}

/// The plan in a user namespace whose root is uid 100000 of the host; the root
/// file system belongs to it, as an image unpacked for it does.
plan::launch_plan in_user_namespace(const test::busybox_rootfs& fs,
                                    std::vector<std::string> args) {
  auto plan = test::default_plan(fs, std::move(args));
  plan.namespaces.clone_flags |= CLONE_NEWUSER;
  plan.namespaces.uid_map = {{0, 100000, 65536}};
  plan.namespaces.gid_map = {{0, 200000, 65536}};
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator{fs.root()})
    REQUIRE(::lchown(entry.path().c_str(), 100000, 200000) == 0);
  REQUIRE(::chown(fs.path().c_str(), 100000, 200000) == 0);
  return plan;
}

plan::cgroup test_cgroup(const test::busybox_rootfs& fs) {
  const auto path = "/troupe-test-" + fs.bundle().substr(17);
  auto out = plan::cgroup{};
  if (const auto host = sys::probe_host("/unused");
      host.cgroups == plan::cgroup_mode::v2) {
    out.mode = host.cgroups;
    out.dirs = {{"", host.v2_mount, path}};
    out.subtree_control = "+pids";
    out.writes = {{0, "pids.max", "77", ""}};
    return out;
  }
  out.mode = plan::cgroup_mode::hybrid;
  out.dirs = {{"pids", "/sys/fs/cgroup/pids", path},
              {"memory", "/sys/fs/cgroup/memory", path},
              {"freezer", "/sys/fs/cgroup/freezer", path},
              {"", "/sys/fs/cgroup/unified", path}};
  out.writes = {{0, "pids.max", "77", ""}};
  return out;
}

bool any_exists(const plan::cgroup& cgroup) {
  for (const auto& dir : cgroup.dirs)
    if (std::filesystem::exists(dir.mount + dir.path))
      return true;
  return false;
}

} // namespace

TEST_CASE("a user namespace maps root to an ordinary user of the host") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto plan = in_user_namespace(fs, {});
  plan.process.oom_score_adj = "100";
  plan.sysctls = {{"net.ipv4.ip_forward", "1", ""}};
  plan.rootfs.masked = {{"/proc/kcore", ""}, {"/sys/firmware", ""}};
  plan.rootfs.readonly_paths = {{"/proc/sys", ""}};
  const auto ran = test::run_shell(
    plan, "id -u; id -g; cat /proc/self/uid_map /proc/self/oom_score_adj "
          "/proc/sys/net/ipv4/ip_forward; "
          "stat -c %t:%T /dev/null; echo x > /dev/null && touch /data/mine "
          "&& echo fine");
  CHECK_THAT(ran.output, Contains("0\n0\n") && Contains("100000"));
  CHECK_THAT(ran.output, Contains("\n100\n1\n1:3\nfine\n"));
  struct stat info {};
  REQUIRE(::stat((fs.root() / "data/mine").c_str(), &info) == 0);
  CHECK(info.st_uid == 100000);
  CHECK(info.st_gid == 200000);
  CHECK(before == test::host_traces{});
}

TEST_CASE("binds of the host work in a user namespace") {
  test::busybox_rootfs fs;
  std::ofstream{fs.bundle() + "/file"} << "bound\n";
  auto plan = in_user_namespace(fs, {"cat", "/data/file"});
  plan.rootfs.mounts.push_back(
    test::bind(fs.bundle() + "/file", "/data/file", MOUNT_ATTR_RDONLY));
  CHECK(test::run(plan).output == "bound\n");
}

TEST_CASE("an existing namespace of each kind can be joined") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  auto first = test::create(test::default_plan(fs, {"sleep", "1000"}));
  REQUIRE(first.created());
  REQUIRE_FALSE(first.start());
  const auto of = [&](const std::string& kind) {
    return "/proc/" + std::to_string(first.pid()) + "/ns/" + kind;
  };
  auto plan = test::default_plan(fs, {"sleep", "1000"});
  plan.namespaces.clone_flags = CLONE_NEWNS;
  plan.hostname = "";
  plan.loopback_up = false;
  plan.namespaces.joins = {{CLONE_NEWNET, of("net"), ""},
                           {CLONE_NEWIPC, of("ipc"), ""},
                           {CLONE_NEWUTS, of("uts"), ""},
                           {CLONE_NEWPID, of("pid"), ""}};
  const auto log = fs.bundle() + "/log";
  plan.hooks.prestart = {
    {"/bin/busybox",
     {"sh", "-c", "/bin/busybox readlink /proc/self/ns/net > " + log},
     {},
     0,
     ""}};
  {
    auto second = test::create(plan);
    REQUIRE(second.created());
    REQUIRE_FALSE(second.start());
    for (const auto* kind : {"net", "ipc", "uts", "pid"})
      CHECK(ns_of(second.pid(), kind) == ns_of(first.pid(), kind));
    CHECK(ns_of(second.pid(), "mnt") != ns_of(first.pid(), "mnt"));
    second.kill();
    CHECK(second.wait().signal == SIGKILL);
  }
  // Host hooks stay on the host.
  CHECK(test::host_traces::slurp(log) == ns_of(::getpid(), "net") + "\n");
  first.kill();
  CHECK(first.wait().signal == SIGKILL);
  CHECK(before == test::host_traces{});
}

TEST_CASE("a user namespace can be joined, with new namespaces in it") {
  test::busybox_rootfs fs;
  auto first = test::create(in_user_namespace(fs, {"sleep", "1000"}));
  REQUIRE(first.created());
  auto plan = in_user_namespace(fs, {"sh", "-c", "id -u; echo $$"});
  plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWUSER};
  plan.namespaces.uid_map.clear();
  plan.namespaces.gid_map.clear();
  plan.namespaces.joins = {
    {CLONE_NEWUSER, "/proc/" + std::to_string(first.pid()) + "/ns/user", ""}};
  CHECK(test::run(plan).output == "0\n1\n");
}

TEST_CASE("a time namespace shifts the boot clock") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"cat", "/proc/uptime"});
  plan.namespaces.clone_flags |= CLONE_NEWTIME;
  plan.namespaces.time_offsets = {{CLOCK_BOOTTIME, 100'000'000, 0}};
  CHECK(std::stod(test::run(plan).output) > 1e8);
}

TEST_CASE("a container lives in its cgroups, which go with a failed create "
          "or the teardown") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.cgroup = test_cgroup(fs);
  auto cgroups = plan::mount{};
  cgroups.kind = plan::mount_kind::cgroup;
  cgroups.target = "/sys/fs/cgroup";
  cgroups.attr_set = MOUNT_ATTR_RDONLY;
  plan.rootfs.mounts.push_back(cgroups);
  plan.namespaces.clone_flags |= GENERATE(std::uint64_t{0}, CLONE_NEWCGROUP);
  const auto own = (plan.namespaces.clone_flags & CLONE_NEWCGROUP) != 0;
  SECTION("a run") {
    const auto v2 = plan.cgroup.mode == plan::cgroup_mode::v2;
    const auto pids = std::string{"/sys/fs/cgroup"} + (v2 ? "" : "/pids");
    const auto ran = test::run_shell(plan, "cat /proc/self/cgroup " + pids
                                             + "/pids.max; mkdir " + pids
                                             + "/x; ls /sys/fs/cgroup; grep "
                                             + pids + " /proc/self/mountinfo");
    const auto path = own ? std::string{"/"} : plan.cgroup.dirs[0].path;
    CHECK_THAT(ran.output, Contains("0::" + path + "\n"));
    CHECK_THAT(ran.output, Contains("\n77\n"));
    CHECK_THAT(ran.output, Contains("Read-only file system"));
    CHECK_THAT(ran.output, Contains(" " + path + " " + pids + " ro"));
    if (!v2) {
      CHECK_THAT(ran.output, Contains(":pids:" + path + "\n"));
      CHECK_THAT(ran.output, Contains("\nfreezer\nmemory\npids\nunified\n"));
    }
    CHECK(any_exists(plan.cgroup));
    test::launched teardown{[&](const auto& with) {
      return launch::run_teardown(plan, with.report);
    }};
    CHECK(teardown.launcher_code() == 0);
  }
  SECTION("a failed create") {
    plan.process.args = {"nowhere"};
    auto box = test::create(plan);
    REQUIRE(box.failed());
    CHECK(box.wait().shell_code() != 0);
  }
  CHECK_FALSE(any_exists(plan.cgroup));
}

} // namespace troupe::launch_namespaces_test
