#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace troupe::launch_test {

using Catch::Matchers::Contains;

namespace {

/// A filter that answers every mkdir with EDOM and allows the rest.
plan::seccomp_filter refuse_mkdir() {
  const sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(code);
  return {{bytes, bytes + sizeof(code)}, 0, {}, {}};
}

} // namespace

TEST_CASE("a container runs its program and gives its exit code") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  const auto plan = test::default_plan(fs, {"sh", "-c", "echo hello; exit 7"});
  const auto ran = test::run(plan);
  CHECK(ran.status.code == 7);
  CHECK(ran.output == "hello\n");
  CHECK(before == test::host_traces{});
}

TEST_CASE("a container's death by signal is told apart from an exit") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"sleep", "1000"});
  auto box = test::create(plan);
  REQUIRE(box.created());
  REQUIRE_FALSE(box.start());
  box.kill();
  CHECK(box.wait().signal == SIGKILL);
}

TEST_CASE("nothing runs before the start packet") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"touch", "/data/ran"});
  auto box = test::create(plan);
  REQUIRE(box.created());
  CHECK_FALSE(std::filesystem::exists(fs.root() / "data/ran"));
  REQUIRE_FALSE(box.start());
  CHECK(box.wait().code == 0);
  CHECK(std::filesystem::exists(fs.root() / "data/ran"));
}

TEST_CASE("init is pid 1 with its hostname, and lo is up") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.domainname = "example.org";
  const auto ran = test::run_shell(
    plan, "echo $$; hostname; cat /proc/sys/kernel/domainname; "
          "ifconfig lo | grep -c 'UP LOOPBACK RUNNING'");
  CHECK(ran.output == "1\nbox\nexample.org\n1\n");
}

TEST_CASE("the program has exactly descriptors 0, 1 and 2", "[rule-5]") {
  test::busybox_rootfs fs;
  const auto plan = test::default_plan(fs, {});
  // ls has the directory that it lists open as 3.
  CHECK(test::run_shell(plan, "ls /proc/self/fd").output == "0\n1\n2\n3\n");
  CHECK(test::run_shell(plan, "readlink /proc/self/fd/0").output
        == "/dev/null\n");
}

TEST_CASE("the program has exactly the environment of the plan, and a HOME") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"env"});
  plan.process.env = {"PATH=/bin", "HOME=/here", "A=b c"};
  CHECK(test::run(plan).output == "PATH=/bin\nHOME=/here\nA=b c\n");
  plan.process.env = {"PATH=/bin"};
  CHECK(test::run(plan).output == "PATH=/bin\nHOME=/root\n");
  plan.process.uid = 4242; // in no /etc/passwd
  CHECK(test::run(plan).output == "PATH=/bin\nHOME=/\n");
}

TEST_CASE("user, groups and umask are the plan's") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.process.uid = 1000;
  plan.process.gid = 2000;
  plan.process.groups = {3000, 4000};
  plan.process.umask = 027;
  CHECK(test::run_shell(plan, "id -u; id -g; id -G; umask").output
        == "1000\n2000\n2000 3000 4000\n0027\n");
}

TEST_CASE("the five capability sets are exact, for root and for a user") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.process.capabilities = {true, 0x401, 0x405, 0x401, 0x40f, 0x401};
  const auto show = "grep Cap /proc/self/status";
  SECTION("an unprivileged user keeps what is ambient") {
    plan.process.uid = 1000;
    CHECK(test::run_shell(plan, show).output
          == "CapInh:\t0000000000000401\nCapPrm:\t0000000000000401\n"
             "CapEff:\t0000000000000401\nCapBnd:\t000000000000040f\n"
             "CapAmb:\t0000000000000401\n");
  }
  SECTION("root is limited by the bounding set") {
    plan.process.capabilities.ambient = 0;
    CHECK(test::run_shell(plan, show).output
          == "CapInh:\t0000000000000401\nCapPrm:\t000000000000040f\n"
             "CapEff:\t000000000000040f\nCapBnd:\t000000000000040f\n"
             "CapAmb:\t0000000000000000\n");
  }
}

TEST_CASE("a seccomp filter works with and without no_new_privs") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.process.seccomp = refuse_mkdir();
  plan.process.uid = 1000;
  plan.process.capabilities.set = true;
  plan.process.no_new_privileges = GENERATE(false, true);
  const auto ran = test::run_shell(
    plan, "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; mkdir /tmp/x");
  CHECK(ran.status.code == 1);
  CHECK_THAT(ran.output, Contains(plan.process.no_new_privileges
                                    ? "NoNewPrivs:\t1\nSeccomp:\t2\n"
                                    : "NoNewPrivs:\t0\nSeccomp:\t2\n"));
  CHECK_THAT(ran.output,
             Contains("argument out of domain") || Contains("out of domain"));
}

TEST_CASE("rlimits are set, and one that may not be is named") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.process.rlimits = {{RLIMIT_NOFILE, 100, 200, ""},
                          {RLIMIT_CORE, 0, 0, ""}};
  CHECK(test::run_shell(plan, "ulimit -Sn; ulimit -Hn; ulimit -c").output
        == "100\n200\n0\n");
  SECTION("above fs.nr_open is too much for any capability") {
    constexpr auto too_much = std::uint64_t{1} << 40U;
    plan.process.rlimits[1] = {RLIMIT_NOFILE, too_much, too_much, ""};
    plan.process.args = {"true"};
    auto box = test::create(plan);
    // Without CAP_SYS_RESOURCE that is known before the start.
    const auto why = box.created() ? box.start() : box.failed();
    REQUIRE(why);
    CHECK(why->phase == plan::phase::rlimit);
    CHECK(why->index == 1);
    CHECK_THAT(std::string{why->subject_text()}, Contains("RLIMIT_NOFILE"));
  }
}

TEST_CASE("sysctls and the OOM score reach the container") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.sysctls = {{"net.ipv4.ip_forward", "1", ""},
                  {"kernel.shm_rmid_forced", "1", ""},
                  {"net/ipv4/conf/lo/forwarding", "0", ""}};
  plan.process.oom_score_adj = "321";
  CHECK(test::run_shell(plan, "cat /proc/sys/net/ipv4/ip_forward "
                              "/proc/sys/kernel/shm_rmid_forced "
                              "/proc/sys/net/ipv4/conf/lo/forwarding "
                              "/proc/self/oom_score_adj")
          .output
        == "1\n1\n0\n321\n");
}

TEST_CASE("the working directory is made where it is missing") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"pwd"});
  plan.process.cwd = "/made/for/me";
  CHECK(test::run(plan).output == "/made/for/me\n");
}

TEST_CASE("a working directory that the user may not enter is refused") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"pwd"});
  plan.process.cwd = "/root";
  plan.process.uid = 1000;
  REQUIRE(::chmod((fs.root() / "root").c_str(), 0700) == 0);
  auto box = test::create(plan);
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::cwd);
  CHECK(why->os_errno == EACCES);
  CHECK(box.wait().code == 1);
}

} // namespace troupe::launch_test
