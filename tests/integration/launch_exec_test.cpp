#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/sleeping_container.hpp"

namespace troupe::launch_exec_test {

using Catch::Matchers::Contains;

using test::sleeping_container;

TEST_CASE("an exec session runs inside the container's namespaces",
          "[rule-5]") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  {
    auto plan = test::default_plan(fs, {"sleep", "1000"});
    sleeping_container container{plan};
    auto session = container.exec(
      container.session({"sh", "-c",
                         "hostname; ls /; ls /proc/self/fd; "
                         "readlink /proc/1/ns/net; "
                         "readlink /proc/self/ns/net; "
                         "exit 9"}));
    REQUIRE(session.created());
    REQUIRE_FALSE(session.start());
    CHECK(session.wait().code == 9);
    CHECK_THAT(session.output(), Contains("box\n") && Contains("data\n")
                                   && Contains("0\n1\n2\n3\nnet:"));
    const auto nets = session.output().substr(session.output().find("net:"));
    CHECK(nets.substr(0, nets.size() / 2) == nets.substr(nets.size() / 2));
  }
  CHECK(before == test::host_traces{});
}

TEST_CASE("an exec session has its own user, directory and environment") {
  test::busybox_rootfs fs;
  sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto plan = container.session({"sh", "-c", "id -u; pwd; echo $X"});
  plan.process.uid = 77;
  plan.process.cwd = "/etc";
  plan.process.env = {"PATH=/bin", "X=y"};
  plan.process.oom_score_adj = "500";
  auto session = container.exec(plan);
  REQUIRE(session.created());
  REQUIRE_FALSE(session.start());
  CHECK(session.wait().code == 0);
  CHECK(session.output() == "77\n/etc\ny\n");
}

TEST_CASE("an exec session works in a user namespace") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"sleep", "1000"});
  plan.namespaces.clone_flags |= CLONE_NEWUSER;
  plan.namespaces.uid_map = {{0, 100000, 65536}};
  plan.namespaces.gid_map = {{0, 100000, 65536}};
  sleeping_container container{plan};
  auto session = container.exec(
    container.session({"sh", "-c", "id -u; cat /proc/self/uid_map"}));
  REQUIRE(session.created());
  REQUIRE_FALSE(session.start());
  CHECK(session.wait().code == 0);
  CHECK_THAT(session.output(), Contains("0\n") && Contains("100000"));
}

TEST_CASE("an exec session enters the root of a chroot container") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"sleep", "1000"});
  plan.namespaces.clone_flags = CLONE_NEWUTS;
  plan.loopback_up = false;
  plan.rootfs.mounts.clear();
  REQUIRE(::mknod((fs.root() / "dev/null").c_str(), S_IFCHR | 0666, 0x103)
          == 0);
  fs.write("marker", "");
  sleeping_container container{plan};
  auto session = container.exec(container.session({"ls", "/"}));
  if (session.failed())
    FAIL(launch::to_failure(*session.failed(), nullptr).what);
  REQUIRE_FALSE(session.start());
  CHECK(session.wait().code == 0);
  CHECK_THAT(session.output(), Contains("marker\n"));
}

TEST_CASE("an exec session of no program fails before its start") {
  test::busybox_rootfs fs;
  sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto session = container.exec(container.session({"nowhere"}));
  REQUIRE(session.failed());
  CHECK(session.failed()->phase == plan::phase::exec);
  CHECK(session.failed()->os_errno == ENOENT);
  CHECK(session.wait().shell_code() != 0);
}

} // namespace troupe::launch_exec_test
