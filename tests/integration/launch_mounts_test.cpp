#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

namespace troupe::launch_mounts_test {

using Catch::Matchers::Contains;

namespace {

launch::report refused(const plan::launch_plan& plan) {
  const test::host_traces before;
  auto box = test::create(plan);
  REQUIRE(box.failed());
  if (box.pidfd() >= 0)
    CHECK(box.wait().shell_code() != 0);
  CHECK(before == test::host_traces{});
  return *box.failed();
}

} // namespace

TEST_CASE("the container sees its own mounts and no others") {
  test::busybox_rootfs fs;
  const auto plan = test::default_plan(fs, {"cat", "/proc/self/mounts"});
  const auto mounts = test::run(plan).output;
  CHECK_THAT(mounts, Contains(" / "));
  CHECK_THAT(mounts, Contains("proc /proc proc rw,nosuid,nodev,noexec"));
  CHECK_THAT(mounts, Contains("tmpfs /dev tmpfs rw,nosuid"));
  CHECK_THAT(mounts, Contains("devpts /dev/pts devpts rw,nosuid,noexec"));
  CHECK_THAT(mounts, Contains("sysfs /sys sysfs ro,nosuid,nodev,noexec"));
  CHECK(std::count(mounts.begin(), mounts.end(), '\n') == 7);
}

TEST_CASE("/dev holds the plan's devices with exact modes, and its links") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.rootfs.devices.push_back({"/dev/odd", S_IFCHR | 0642, 1, 3, 12, 34, ""});
  plan.rootfs.devices.push_back({"/dev/pipe", S_IFIFO | 0622, 0, 0, 0, 0, ""});
  CHECK(test::run_shell(plan, "stat -c '%F %a %u:%g %t:%T' /dev/null /dev/odd "
                              "/dev/pipe; readlink /dev/ptmx; readlink /dev/fd")
          .output
        == "character special file 666 0:0 1:3\n"
           "character special file 642 12:34 1:3\nfifo 622 0:0 0:0\n"
           "pts/ptmx\n/proc/self/fd\n");
}

TEST_CASE("masked paths are hidden and readonly paths cannot be written") {
  test::busybox_rootfs fs;
  fs.write("data/secret", "secret");
  auto plan = test::default_plan(fs, {});
  std::filesystem::create_directories(fs.root() / "data/ro");
  std::filesystem::create_directories(fs.root() / "data/dir/inner");
  plan.rootfs.masked = {{"/data/secret", ""},
                        {"/data/dir", ""},
                        {"/proc/kmsg", ""},
                        {"/no/such/path", ""}};
  plan.rootfs.readonly_paths = {
    {"/data/ro", ""}, {"/proc/sys", ""}, {"/nope", ""}};
  const auto ran = test::run_shell(
    plan,
    "cat /data/secret; ls /data/dir; stat -c %t:%T /proc/kmsg; "
    "touch /data/dir/x; touch /data/ro/x; "
    "echo 1 > /proc/sys/net/ipv4/ip_forward; touch /data/fine && echo ok");
  CHECK_THAT(ran.output, Contains("1:3\n"));
  CHECK_THAT(ran.output, Contains("/data/dir/x: Read-only file system"));
  CHECK_THAT(ran.output, Contains("/data/ro/x: Read-only file system"));
  CHECK_THAT(ran.output, Contains("ip_forward: Read-only file system"));
  CHECK_THAT(ran.output, Contains("ok\n") && !Contains("secret\n"));
}

TEST_CASE("a mask is refused when /dev/null is something else", "[rule-3]") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  plan.rootfs.masked = {{"/etc/passwd", ""}};
  plan.rootfs.devices.front().minor = 5;
  const auto why = refused(plan);
  CHECK(why.phase == plan::phase::masked_path);
  CHECK(why.os_errno == ENODEV);
}

TEST_CASE("a read-only root leaves its mounts writable") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.rootfs.readonly = true;
  const auto ran = test::run_shell(
    plan, "touch /data/x; touch /dev/shm/x && echo ok");
  CHECK_THAT(ran.output, Contains("/data/x: Read-only file system"));
  CHECK_THAT(ran.output, Contains("ok\n"));
  CHECK(::access(fs.path().c_str(), W_OK) == 0);
}

TEST_CASE("files and directories are bound, read-only or not, with targets "
          "made") {
  test::busybox_rootfs fs;
  const auto host = fs.bundle() + "/host";
  std::filesystem::create_directory(host);
  std::ofstream{host + "/file"} << "content\n";
  auto plan = test::default_plan(fs, {});
  plan.rootfs.mounts.push_back(test::bind(host, "/made/dir"));
  plan.rootfs.mounts.push_back(
    test::bind(host + "/file", "/made/ro/file", MOUNT_ATTR_RDONLY));
  const auto ran = test::run_shell(
    plan, "cat /made/ro/file; echo more >> /made/ro/file; "
          "echo new > /made/dir/new && cat /made/dir/new");
  CHECK_THAT(ran.output, Contains("content\n")
                           && Contains("Read-only file system")
                           && Contains("new\n"));
  CHECK(std::filesystem::exists(host + "/new"));
}

TEST_CASE("a symlink of the image cannot lead a mount out of the root",
          "[rule-1]") {
  test::busybox_rootfs fs;
  const auto outside = fs.bundle() + "/outside";
  std::filesystem::create_directory(outside);
  std::filesystem::create_directory_symlink(outside, fs.root() / "link");
  std::filesystem::create_directory_symlink("../../../../../..",
                                            fs.root() / "up");
  auto plan = test::default_plan(fs, {});
  plan.rootfs.mounts.push_back(test::filesystem("tmpfs", "/link/in", 0));
  plan.rootfs.mounts.push_back(test::filesystem("tmpfs", "/up/etc/in", 0));
  const auto ran = test::run_shell(plan, "cat /proc/self/mounts");
  CHECK_THAT(ran.output, Contains("tmpfs " + outside + "/in tmpfs"));
  CHECK_THAT(ran.output, Contains("tmpfs /etc/in tmpfs"));
  CHECK(std::filesystem::is_empty(outside));
}

TEST_CASE("a symlink of the image cannot place a mount over procfs",
          "[rule-1]") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  SECTION("as the target of a volume") {
    std::filesystem::create_directory_symlink("/proc/sys", fs.root() / "vol");
    plan.rootfs.mounts.push_back(test::filesystem("tmpfs", "/vol", 0));
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::mount);
    CHECK(why.os_errno == ELOOP);
  }
  SECTION("as /proc itself") {
    std::filesystem::remove(fs.root() / "proc");
    std::filesystem::create_directory_symlink("/data", fs.root() / "proc");
    const auto why = refused(plan);
    CHECK(why.phase == plan::phase::mount);
    CHECK(why.index == 0);
    CHECK(why.os_errno == ELOOP);
  }
  SECTION("or over the root") {
    std::filesystem::create_directory_symlink("/", fs.root() / "vol");
    plan.rootfs.mounts.push_back(test::filesystem("tmpfs", "/vol", 0));
    CHECK(refused(plan).os_errno == EINVAL);
  }
}

TEST_CASE("tmpcopyup fills a tmpfs with what it covers") {
  test::busybox_rootfs fs;
  std::filesystem::create_directories(fs.root() / "data/sub");
  fs.write("data/sub/file", "copied\n");
  std::filesystem::create_symlink("sub/file", fs.root() / "data/link");
  REQUIRE(::chown((fs.root() / "data/sub/file").c_str(), 5, 6) == 0);
  REQUIRE(::chmod((fs.root() / "data/sub/file").c_str(), 04751) == 0);
  auto plan = test::default_plan(fs, {});
  plan.rootfs.mounts.push_back(
    test::filesystem("tmpfs", "/data", MOUNT_ATTR_RDONLY));
  plan.rootfs.mounts.back().copy_up = true;
  const auto ran = test::run_shell(
    plan, "cat /data/link; stat -c '%a %u:%g' /data/sub/file; touch /data/x");
  CHECK_THAT(ran.output, Contains("copied\n4751 5:6\n"));
  CHECK_THAT(ran.output, Contains("Read-only file system"));
}

TEST_CASE("mounts can be placed in earlier mounts") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {});
  plan.rootfs.mounts.push_back(test::filesystem("tmpfs", "/data", 0));
  plan.rootfs.mounts.push_back(test::bind("/etc", "/data/deep/etc"));
  CHECK(test::run_shell(plan, "test -e /data/deep/etc/passwd").status.code
        == 0);
  CHECK_FALSE(std::filesystem::exists(fs.root() / "data/deep"));
}

TEST_CASE("without a mount namespace the root is entered by chroot") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"ls", "/"});
  plan.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWNS};
  SECTION("and nothing is mounted") {
    plan.rootfs.mounts.clear();
    const auto null = sys::unique_fd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    std::filesystem::copy("/bin/busybox", fs.root() / "marker");
    REQUIRE(::mknod((fs.root() / "dev/null").c_str(), S_IFCHR | 0666, 0x103)
            == 0);
    CHECK_THAT(test::run(plan).output, Contains("marker\n"));
  }
  SECTION("and mounts are refused") {
    CHECK(refused(plan).phase == plan::phase::mount);
  }
}

} // namespace troupe::launch_mounts_test
