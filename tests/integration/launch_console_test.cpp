#include "tests/support/console.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/sleeping_container.hpp"

#include <sys/ioctl.h>

namespace troupe::launch_console_test {

using Catch::Matchers::Contains;

namespace {

plan::launch_plan with_terminal(const test::busybox_rootfs& fs,
                                const std::string& script) {
  auto out = test::default_plan(fs, {"sh", "-c", script});
  out.process.terminal = true;
  return out;
}

test::launched create(const plan::launch_plan& plan,
                      const test::console& console) {
  return test::launched{[&](auto with) {
    console(with);
    return launch::run_create(plan, with);
  }};
}

/// What a program shows on its terminal.
std::string shown_by(const plan::launch_plan& plan) {
  test::console console;
  auto box = create(plan, console);
  if (box.failed())
    FAIL(launch::to_failure(*box.failed(), &plan).what);
  console.take_master();
  if (const auto why = box.start())
    FAIL(launch::to_failure(*why, &plan).what);
  auto out = console.read_all();
  CHECK(box.wait().code == 0);
  return out;
}

/// Why a terminal could not be made; nothing may have been sent.
launch::report refused(const plan::launch_plan& plan) {
  const test::host_traces before;
  test::console console;
  auto box = create(plan, console);
  REQUIRE(box.failed());
  CHECK(box.failed()->phase == plan::phase::console);
  CHECK(box.wait().shell_code() != 0);
  CHECK(console.is_unused());
  CHECK(before == test::host_traces{});
  return *box.failed();
}

/// A plan whose /dev is a directory of the bundle, as hostile as one likes.
plan::launch_plan with_dev_of(const test::busybox_rootfs& fs,
                              const std::string& dev) {
  auto out = with_terminal(fs, "true");
  for (auto& mount : out.rootfs.mounts)
    if (mount.target == "/dev")
      mount = test::bind(dev, "/dev");
  out.rootfs.fill_dev = false;
  out.rootfs.devices.clear();
  out.rootfs.symlinks.clear();
  return out;
}

std::string make_dev(const test::busybox_rootfs& fs) {
  const auto out = fs.bundle() + "/own-dev";
  for (const auto* each : {"", "/pts", "/shm", "/mqueue"})
    std::filesystem::create_directory(out + each);
  REQUIRE(::mknod((out + "/null").c_str(), S_IFCHR | 0666, 0x103) == 0);
  return out;
}

} // namespace

TEST_CASE("a terminal is the program's stdio, session and /dev/console") {
  test::busybox_rootfs fs;
  const test::host_traces before;
  CHECK(shown_by(with_terminal(
          fs, "for i in 0 1 2; do readlink /proc/self/fd/$i; done; "
              ": > /dev/tty && echo tty; "
              "stat -c %t:%T /dev/console /dev/pts/0; "
              "ls -1 /proc/self/fd; echo to > /dev/console"))
        == "/dev/pts/0\n/dev/pts/0\n/dev/pts/0\ntty\n88:0\n88:0\n"
           "0\n1\n2\n3\nto\n");
  CHECK(before == test::host_traces{});
}

TEST_CASE("the caller gets the master of a terminal, and a name") {
  test::busybox_rootfs fs;
  test::console console;
  auto plan = with_terminal(fs, "read line; echo got $line");
  plan.process.rows = 33;
  plan.process.cols = 120;
  auto box = create(plan, console);
  REQUIRE(box.created());
  CHECK(console.take_master() == "/dev/ptmx");
  auto size = winsize{};
  REQUIRE(::ioctl(console.master(), TIOCGWINSZ, &size) == 0);
  CHECK(size.ws_row == 33);
  CHECK(size.ws_col == 120);
  REQUIRE_FALSE(box.start());
  REQUIRE(::write(console.master(), "word\n", 5) == 5);
  CHECK(console.read_all() == "word\ngot word\n");
  CHECK(box.wait().code == 0);
}

TEST_CASE("a terminal belongs to the user of its program") {
  test::busybox_rootfs fs;
  auto plan = with_terminal(fs, "stat -c %u:%G /dev/pts/0; : > /dev/pts/0");
  fs.write("etc/group", "tty:x:5:\n");
  for (auto& mount : plan.rootfs.mounts)
    if (mount.type == "devpts")
      mount.data.emplace_back("gid=5");
  plan.process.uid = 77;
  CHECK(shown_by(plan) == "77:tty\n");
}

TEST_CASE("a terminal works in a user namespace") {
  test::busybox_rootfs fs;
  auto plan = with_terminal(fs, "id -u; stat -c %t:%T /dev/console");
  plan.namespaces.clone_flags |= CLONE_NEWUSER;
  plan.namespaces.uid_map = {{0, 100000, 65536}};
  plan.namespaces.gid_map = {{0, 100000, 65536}};
  CHECK(shown_by(plan) == "0\n88:0\n");
}

TEST_CASE("a terminal and a console socket go together") {
  test::busybox_rootfs fs;
  SECTION("no socket") {
    auto box = test::create(with_terminal(fs, "true"));
    REQUIRE(box.failed());
    CHECK(box.failed()->phase == plan::phase::console);
    CHECK_THAT(std::string{box.failed()->subject_text()},
               Contains("no console socket"));
  }
  SECTION("no terminal") {
    test::console console;
    auto box = create(test::default_plan(fs, {"true"}), console);
    REQUIRE(box.failed());
    CHECK(box.failed()->phase == plan::phase::console);
    CHECK_THAT(std::string{box.failed()->subject_text()},
               Contains("no terminal"));
  }
}

TEST_CASE("a /dev/console that was there before is covered, not followed",
          "[rule-3]") {
  test::busybox_rootfs fs;
  const auto dev = make_dev(fs);
  auto plan = with_dev_of(fs, dev);
  plan.process.args = {"stat", "-c", "%t:%T", "/dev/console"};
  SECTION("a file") {
    std::ofstream{dev + "/console"} << "mine";
    CHECK(shown_by(plan) == "88:0\n");
  }
  SECTION("a fifo, which would block whoever opens it") {
    REQUIRE(::mkfifo((dev + "/console").c_str(), 0600) == 0);
    CHECK(shown_by(plan) == "88:0\n");
  }
  SECTION("nothing") {
    CHECK(shown_by(plan) == "88:0\n");
  }
}

TEST_CASE("a hostile /dev/console is refused (CVE-2025-52565)", "[rule-3]") {
  test::busybox_rootfs fs;
  const auto dev = make_dev(fs);
  const auto plan = with_dev_of(fs, dev);
  // The master goes away before the console is placed, with nobody hurt.
  const auto fails = [&](int expected) {
    test::console console;
    auto box = create(plan, console);
    REQUIRE(box.failed());
    CHECK(box.failed()->phase == plan::phase::console);
    CHECK(box.failed()->os_errno == expected);
  };
  SECTION("a symlink to a file of the kernel") {
    std::filesystem::create_symlink("/proc/sysrq-trigger", dev + "/console");
    fails(ELOOP);
  }
  SECTION("a symlink to nowhere, which must not be made") {
    std::filesystem::create_symlink("/etc/made", dev + "/console");
    fails(ELOOP);
    CHECK_FALSE(std::filesystem::exists(fs.root() / "etc/made"));
  }
  SECTION("a directory") {
    std::filesystem::create_directory(dev + "/console");
    fails(EISDIR);
  }
}

TEST_CASE("a /dev/pts that is no devpts gives no terminal", "[rule-3]") {
  test::busybox_rootfs fs;
  auto plan = with_terminal(fs, "true");
  auto& mounts = plan.rootfs.mounts;
  std::erase_if(mounts, [](const auto& x) { return x.type == "devpts"; });
  SECTION("missing") {
    CHECK(refused(plan).os_errno == ENOENT);
  }
  SECTION("a tmpfs with a ptmx of its own") {
    const auto pts = fs.bundle() + "/pts";
    std::filesystem::create_directory(pts);
    REQUIRE(::mknod((pts + "/ptmx").c_str(), S_IFCHR | 0666, 0x502) == 0);
    mounts.push_back(test::bind(pts, "/dev/pts"));
    const auto why = refused(plan);
    CHECK(why.os_errno == ENODEV);
    CHECK_THAT(std::string{why.subject_text()}, Contains("not on a devpts"));
  }
  SECTION("a file on the ptmx of a devpts") {
    const auto file = fs.bundle() + "/ptmx";
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    mounts.push_back(
      test::filesystem("devpts", "/dev/pts", 0, {"newinstance"}));
    mounts.push_back(test::bind(file, "/dev/pts/ptmx"));
    CHECK(refused(plan).os_errno == EXDEV);
  }
}

TEST_CASE("without a mount namespace a terminal needs a devpts in the root") {
  test::busybox_rootfs fs;
  auto plan = with_terminal(fs, "true");
  plan.namespaces.clone_flags = CLONE_NEWUTS;
  plan.loopback_up = false;
  plan.rootfs.mounts.clear();
  CHECK(refused(plan).os_errno == ENOENT);
}

TEST_CASE("a caller that does not take the terminal fails the create") {
  test::busybox_rootfs fs;
  auto console = std::make_unique<test::console>();
  auto box = test::launched{[&](auto with) {
    (*console)(with);
    const auto other = ::fcntl(with.console, F_DUPFD_CLOEXEC, 3);
    console.reset(); // both ends, in this process and, below, in the other
    with.console = other;
    ::shutdown(other, SHUT_RDWR);
    return launch::run_create(with_terminal(fs, "true"), with);
  }};
  REQUIRE(box.failed());
  CHECK(box.failed()->phase == plan::phase::console);
  CHECK(box.failed()->os_errno == EPIPE);
}

TEST_CASE("an exec session has a terminal of its own") {
  test::busybox_rootfs fs;
  test::sleeping_container container{test::default_plan(fs, {"sleep", "1000"})};
  auto plan = container.session(
    {"sh", "-c",
     "readlink /proc/self/fd/0; : > /dev/tty && echo tty; "
     "ls /dev/console 2>&1; ls -1 /proc/self/fd; busybox stty size"});
  plan.process.terminal = true;
  plan.process.rows = 7;
  plan.process.cols = 9;
  test::console console;
  auto session = container.exec(plan, [&](auto& with) { console(with); });
  REQUIRE(session.created());
  CHECK(console.take_master() == "/dev/ptmx");
  REQUIRE_FALSE(session.start());
  CHECK(console.read_all()
        == "/dev/pts/0\ntty\nls: /dev/console: No such file or directory\n"
           "0\n1\n2\n3\n7 9\n");
  CHECK(session.wait().code == 0);
}

TEST_CASE("an exec session does not trust the container's /dev/pts",
          "[rule-3]") {
  test::busybox_rootfs fs;
  auto box = test::default_plan(
    fs, {"sh", "-c",
         "mount -t tmpfs none /dev/pts && busybox mkfifo /dev/pts/ptmx && "
         "echo done && exec sleep 1000"});
  auto container = test::create(box);
  REQUIRE_FALSE(container.start());
  CHECK(container.read_line() == "done");
  auto plan = plan::exec_plan{};
  plan.id = box.id;
  plan.namespaces = box.namespaces.clone_flags;
  plan.process = box.process;
  plan.process.args = {"true"};
  plan.process.terminal = true;
  test::console console;
  test::launched session{[&](auto with) {
    console(with);
    return launch::run_exec(plan, with, container.pidfd());
  }};
  REQUIRE(session.failed());
  CHECK(session.failed()->phase == plan::phase::console);
  CHECK(session.failed()->os_errno == ENODEV);
  CHECK(session.wait().shell_code() != 0);
}

} // namespace troupe::launch_console_test
