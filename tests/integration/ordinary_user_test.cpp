#include "runtime/linux/file.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/box_spec.hpp"
#include "tests/support/skipped.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>

// Launches by a user without any privilege: the test's process is root, the
// launcher's is not.

namespace troupe::ordinary_user_test {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using kind = oci::namespace_kind;

namespace {

constexpr uid_t user = 47110;
constexpr gid_t group = 47111;

plan::host_facts host_of_user() {
  plan::host_facts out;
  out.uid = user;
  out.gid = group;
  return out;
}

void become_user() {
  test::must(::setgroups(0, nullptr) == 0);
  test::must(::setresgid(group, group, group) == 0);
  test::must(::setresuid(user, user, user) == 0);
}

void write_own(const std::string& name, const std::string& text) {
  test::must(sys::write_file(AT_FDCWD, "/proc/self/" + name, text).has_value());
}

/// What podman does before it calls a runtime for an ordinary user.
void become_root_of_user() {
  become_user();
  test::must(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
  test::must(::prctl(PR_SET_DUMPABLE, 1) == 0); // or /proc/self is root's
  write_own("setgroups", "deny");
  write_own("uid_map", "0 " + std::to_string(user) + " 1");
  write_own("gid_map", "0 " + std::to_string(group) + " 1");
}

/// This host for who has no right to make cgroups.
plan::host_facts host_without_cgroups(std::uint32_t uid) {
  auto out = sys::probe_host("/unused");
  out.cgroups = plan::cgroup_mode::none;
  out.uid = uid;
  out.gid = uid == 0 ? 0 : group;
  return out;
}

void give_to_user(const test::busybox_rootfs& fs) {
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator{fs.root()})
    REQUIRE(::lchown(entry.path().c_str(), user, group) == 0);
  REQUIRE(::chown(fs.path().c_str(), user, group) == 0);
}

oci::spec user_spec(const std::string& script) {
  auto out = test::box_spec(script);
  out.linux_.namespaces.push_back({kind::user, ""});
  out.linux_.uid_mappings = {{0, user, 1}};
  out.linux_.gid_mappings = {{0, group, 1}};
  return out;
}

} // namespace

TEST_CASE("an ordinary user runs a container in a user namespace") {
  test::busybox_rootfs fs;
  give_to_user(fs);
  const test::host_traces before;
  auto spec = user_spec(
    "id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; "
    "stat -c '%n %t:%T' /dev/null /dev/zero; echo x > /dev/null && "
    "touch /data/mine /dev/shm/x && ls -d /sys/class/net/*; hostname; "
    "cat /data/bound; echo $$; cat /etc/passwd; ls /root; "
    "touch /etc/x 2>&1 | grep -c Read-only");
  spec.hostname = "box";
  std::ofstream{fs.bundle() + "/file"} << "bound\n";
  spec.mounts.push_back({"/dev/shm", "tmpfs", "shm", {"nosuid"}, {}, {}});
  spec.mounts.push_back({"/dev/pts",
                         "devpts",
                         "devpts",
                         {"newinstance", "ptmxmode=0666", "mode=0620"},
                         {},
                         {}});
  spec.mounts.push_back({"/dev/mqueue", "mqueue", "mqueue", {}, {}, {}});
  spec.mounts.push_back(
    test::bound(fs.bundle() + "/file", "/data/bound", {"rbind", "ro"}));
  spec.linux_.masked_paths = {"/etc/passwd", "/root", "/proc/kcore"};
  spec.linux_.readonly_paths = {"/proc/sys", "/etc"};
  spec.linux_.sysctl = {{"net.ipv4.ip_forward", "1"}};
  fs.write("root/secret", "");
  const auto ran = test::run_after(become_user,
                                   test::planned(spec, fs, host_of_user()));
  CHECK_THAT(ran.output, StartsWith("0\n0\n"));
  CHECK_THAT(ran.output, Contains("47110          1\ndeny\n"));
  CHECK_THAT(ran.output, Contains("/dev/null 1:3\n/dev/zero 1:5\n"
                                  "/sys/class/net/lo\nbox\nbound\n1\n1\n"));
  struct stat info {};
  REQUIRE(::stat((fs.root() / "data/mine").c_str(), &info) == 0);
  CHECK(info.st_uid == user);
  CHECK(before == test::host_traces{});
}

TEST_CASE("maps of more ids go through newuidmap and newgidmap") {
  test::busybox_rootfs fs;
  give_to_user(fs);
  const auto etc = fs.bundle() + "/etc";
  std::filesystem::create_directory(etc);
  std::ofstream{etc + "/passwd"} << "troupe-test:x:47110:47111::/:/bin/sh\n";
  std::ofstream{etc + "/subuid"} << "troupe-test:300000:1000\n";
  std::ofstream{etc + "/subgid"} << "troupe-test:400000:1000\n";
  const auto prepare = [&] {
    test::own_mounts();
    for (const auto* file : {"passwd", "subuid", "subgid"}) {
      const auto target = std::string{"/etc/"} + file;
      if (!std::filesystem::exists(target))
        continue;
      test::must(::mount((etc + "/" + file).c_str(), target.c_str(), nullptr,
                         MS_BIND, nullptr)
                 == 0);
    }
    become_user();
  };
  auto spec = user_spec("cat /proc/self/uid_map /proc/self/gid_map "
                        "/proc/self/setgroups; id -G");
  spec.linux_.uid_mappings.push_back({1, 300000, 1000});
  spec.linux_.gid_mappings.push_back({1, 400000, 1000});
  SECTION("which give what /etc/subuid grants") {
    spec.process->user.additional_gids = {7, 9};
    const auto ran = test::run_after(prepare,
                                     test::planned(spec, fs, host_of_user()));
    CHECK_THAT(ran.output, Contains("1     300000       1000"));
    CHECK_THAT(ran.output, Contains("1     400000       1000"));
    CHECK_THAT(ran.output, Contains("allow\n0 7 9\n"));
  }
  SECTION("and refuse what it does not") {
    spec.linux_.uid_mappings.back().host_id = 200000;
    const auto why = test::refused_after(
      prepare, test::planned(spec, fs, host_of_user()));
    CHECK_THAT(why.what, StartsWith("/linux/uidMappings: id_map: ")
                           && Contains("newuidmap"));
  }
  SECTION("and are missed where they are not installed") {
    const auto why = test::refused_after(
      [&] {
        prepare();
        ::setenv("PATH", "/nowhere", 1);
      },
      test::planned(spec, fs, host_of_user()));
    CHECK(why.os_errno == ENOENT);
    CHECK_THAT(why.what,
               StartsWith("/linux/uidMappings: ") && Contains("newuidmap"));
  }
}

TEST_CASE("an ordinary user cannot lower the OOM score, and is told so") {
  test::busybox_rootfs fs;
  give_to_user(fs);
  auto spec = user_spec("cat /proc/self/oom_score_adj");
  spec.process->oom_score_adj = 500;
  CHECK(
    test::run_after(become_user, test::planned(spec, fs, host_of_user())).output
    == "500\n");
  spec.process->oom_score_adj = -500;
  const auto why = test::refused_after(become_user,
                                       test::planned(spec, fs, host_of_user()));
  CHECK(why.code == fault::denied);
  CHECK_THAT(why.what, StartsWith("/process/oomScoreAdj: "));
}

TEST_CASE("an ordinary user executes in their container") {
  test::busybox_rootfs fs;
  give_to_user(fs);
  const auto plan = test::planned(user_spec("sleep 1000"), fs, host_of_user());
  auto box = test::create_after(become_user, plan);
  if (box.failed())
    FAIL(launch::to_failure(*box.failed(), &plan).what);
  REQUIRE_FALSE(box.start());
  oci::process process;
  process.args = {"sh", "-c",
                  "id -u; hostname; until grep -qx sleep /proc/1/comm; do :; "
                  "done; cat /proc/1/comm; ls -d /usr"};
  process.env = {"PATH=/bin"};
  process.cwd = "/";
  const auto session = plan::compile_exec(process, plan, host_of_user(), "s");
  REQUIRE(session);
  test::launched exec{[&](const launch::lines& with) {
    become_user();
    return launch::run_exec(*session, with, box.pidfd());
  }};
  if (exec.failed())
    FAIL(launch::to_failure(*exec.failed(), nullptr).what);
  REQUIRE_FALSE(exec.start());
  CHECK(exec.wait().code == 1);
  CHECK_THAT(exec.output(), StartsWith("0\n") && Contains("\nsleep\n")
                              && Contains("ls: /usr: No such"));
  box.kill();
  CHECK(box.wait().signal == SIGKILL);
}

TEST_CASE("root of a user's namespace runs a container in that namespace") {
  test::busybox_rootfs fs;
  give_to_user(fs);
  const test::host_traces before;
  const auto spec = test::box_spec("cat /proc/self/uid_map; id -u; "
                                   "stat -c '%t:%T' /dev/null; hostname box");
  const auto ran = test::run_after(
    [] {
      become_root_of_user();
      const auto found = sys::probe_host("/troupe-test");
      test::must(found.uid == 0);
      test::must(found.cgroups == plan::cgroup_mode::none);
    },
    test::planned(spec, fs, host_without_cgroups(0)));
  CHECK_THAT(ran.output, Contains("47110          1\n0\n1:3\n"));
  CHECK(before == test::host_traces{});
}

TEST_CASE("who may make no cgroups sees those that they were started in") {
  const auto facts = sys::probe_host("/unused");
  if (facts.v1_mounts.empty() && facts.v2_mount.empty())
    return test::skipped("this host has no cgroups");
  test::busybox_rootfs fs;
  give_to_user(fs);
  const auto by_root = GENERATE(true, false);
  const auto own_namespace = GENERATE(true, false);
  auto spec = by_root ? test::box_spec("") : user_spec("");
  spec.process->args.back() = "cd /sys/fs/cgroup; find . -name cgroup.procs | "
                              "head -n 1; touch x 2>&1 | grep -c Read-only; "
                              "grep -c ' - cgroup' /proc/self/mountinfo";
  if (own_namespace)
    spec.linux_.namespaces.push_back({kind::cgroup, ""});
  spec.mounts.push_back(
    {"/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid"}, {}, {}});
  const auto ran = test::run_after(
    by_root ? become_root_of_user : become_user,
    test::planned(spec, fs, host_without_cgroups(by_root ? 0 : user)));
  CAPTURE(by_root, own_namespace, ran.output);
  CHECK_THAT(ran.output, Contains("cgroup.procs\n1\n"));
  CHECK_THAT(ran.output, !Contains("cgroup.procs\n1\n0\n"));
}

} // namespace troupe::ordinary_user_test
