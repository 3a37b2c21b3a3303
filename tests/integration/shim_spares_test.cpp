#include "runtime/launch/spare.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "tests/support/attacker.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/shim_box.hpp"

#include <csignal>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::shim_spares_test {

using namespace troupe::test;
using shim::process_state;

namespace {

namespace fs = std::filesystem;

std::string own_namespace(const std::string& kind) {
  return fs::read_symlink("/proc/self/ns/" + kind).string();
}

/// The shim's second child, before it has a container; the first forks them.
pid_t spare_of(const shim_process& x) {
  const auto pid = std::to_string(x.pid());
  const auto list = "/proc/" + pid + "/task/" + pid + "/children";
  pid_t out = 0;
  REQUIRE(eventually([&] {
    std::istringstream children{file_content(list)};
    return bool{children >> out >> out};
  }));
  return out;
}

/// What `script` prints in a container of the shim's.
std::string printed(shim_box& box, plan::launch_plan plan) {
  static auto count = 0;
  const auto id = "said-" + std::to_string(++count);
  const auto log = box.process.directory / id;
  plan.id = id;
  const auto ended = box.run(launch_of(id, log), plan);
  INFO(file_content(log));
  REQUIRE(ended.exit_code == 0);
  std::string out;
  std::istringstream lines{file_content(log)};
  for (std::string line; std::getline(lines, line);)
    out += line.substr(line.find(" F ") + 3) + "\n";
  return out;
}

plan::launch_plan script(const busybox_rootfs& fs, const std::string& text) {
  return default_plan(fs, {"/bin/sh", "-c", text});
}

/// What root has here, which need not be everything.
std::uint64_t own_capabilities() {
  const auto status = file_content("/proc/self/status");
  return std::stoull(status.substr(status.find("CapEff:") + 8, 16), nullptr,
                     16);
}

/// Enters `root` by chroot(2), with a procfs, as who runs a supervisor in a
/// chroot does. Makes a spare there, and says whether that left it where it
/// was.
bool stays_in(const std::string& root) {
  const auto proc = root + "/proc";
  struct stat before {};
  struct stat after {};
  return sys::unshare_namespaces(CLONE_NEWNS, "mount")
         && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
         && ::mount("proc", proc.c_str(), "proc", 0, nullptr) == 0
         && ::chroot(root.c_str()) == 0 && ::chdir("/") == 0
         && ::stat("/", &before) == 0
         && launch::make_spare_ground().and_then(launch::make_spare)
         && ::stat("/", &after) == 0 && after.st_ino == before.st_ino
         && after.st_dev == before.st_dev;
}

/// Every mount that a process sees, without the numbers that the kernel gives.
constexpr auto* mounts = "cut -d ' ' -f 4- /proc/self/mountinfo | sort";

} // namespace

TEST_CASE("a container of a spare launcher has what every other has",
          "[shim][spares]") {
  shim_box box;
  spare_of(box.process);
  const auto plan = script(box.fs, std::string{mounts}
                                     + "; cat /sys/class/net/lo/flags; ls /..");
  const auto plain = test::run(plan);
  REQUIRE(plain.status.code == 0);
  CHECK(printed(box, plan) == plain.output);
}

TEST_CASE("no two containers share a spare's network", "[shim][spares]") {
  shim_box box;
  auto plan = default_plan(box.fs, {"/bin/sleep", "1000"});
  std::vector<std::string> seen{own_namespace("net")};
  // All of them live: the number of one that is gone may be given again.
  for (const auto* id : {"a", "b", "c"}) {
    spare_of(box.process);
    plan.id = id;
    box.begin(launch_of(id), plan);
    const auto pid = box.supervisor.wait_for(id, process_state::running).pid;
    const auto mine
      = fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/net").string();
    CHECK(std::ranges::count(seen, mine) == 0);
    seen.push_back(mine);
  }
}

TEST_CASE("a launch that a spare is not made for is as any other",
          "[shim][spares]") {
  shim_box box;
  spare_of(box.process);
  const auto host = own_namespace("net") + "\n";
  SECTION("with the host's network") {
    CHECK(printed(box, quick_plan(box.fs, {"readlink", "/proc/self/ns/net"}))
          == host);
  }
  SECTION("with hooks on the host") {
    const auto file = box.process.directory / "hook";
    auto plan = script(box.fs, "readlink /proc/self/ns/net");
    plan::hook hook;
    hook.path = "/bin/sh";
    hook.args = {"sh", "-c",
                 "readlink /proc/self/ns/net /proc/self/ns/mnt > " + file};
    plan.hooks.create_runtime.push_back(hook);
    CHECK(printed(box, plan) != host);
    CHECK(file_content(file) == host + own_namespace("mnt") + "\n");
  }
}

TEST_CASE("a spare that was killed is no loss", "[shim][spares]") {
  shim_box box;
  const auto spare = sys::open_pidfd(spare_of(box.process)).value();
  REQUIRE(sys::send_signal(spare.get(), SIGKILL));
  REQUIRE(readable(spare.get()));
  CHECK(box.run(launch_of("web-1"), script(box.fs, "exit 3")).exit_code == 3);
}

TEST_CASE("a launch of a spare that fails leaves nothing", "[shim][spares]") {
  shim_box box;
  spare_of(box.process);
  const host_traces before;
  auto plan = script(box.fs, "true");
  plan.process.args = {"/absent"};
  const auto answer = box.supervisor.launch(launch_of("web-1"), plan);
  CHECK(answer.os_errno == ENOENT);
  CHECK(box.supervisor.wait_for("web-1", process_state::failed).failure.phase
        == static_cast<std::uint8_t>(plan::phase::exec));
  CHECK(before == host_traces{});
  for (const auto& dir : plan.cgroup.dirs)
    CHECK_FALSE(fs::exists(dir.mount + dir.path));
}

TEST_CASE("no spare outlives its shim", "[shim][spares]") {
  shim_box box;
  const auto spare = sys::open_pidfd(spare_of(box.process)).value();
  CHECK(box.supervisor.ask(shim::quit{}).fault == 0);
  CHECK(box.process.exit_code() == 0);
  CHECK(readable(spare.get(), std::chrono::milliseconds{0}));
}

TEST_CASE("out of a root without a pivot there is nowhere to go",
          "[shim][spares][rule-1]") {
  shim_box box;
  spare_of(box.process);
  const attacker inside{box.fs};
  auto plan = default_plan(box.fs, {"/bin/attacker", "break-out"});
  if (GENERATE(false, true)) { // all that a container can be given
    const auto all = own_capabilities();
    plan.process.capabilities = {true, all, all, all, all, all};
    plan.process.seccomp = {};
  }
  const auto said = printed(box, plan);
  INFO(said);
  const auto place = [](const std::string& path) {
    const auto [device, inode] = identity_of(path);
    return std::to_string(device) + ":" + std::to_string(inode);
  };
  auto within = std::string{};
  std::istringstream lines{said};
  for (std::string word, what; lines >> word >> what;) {
    if (word == "at")
      within = what;
    CHECK(within != place("/"));
    if (within != place(box.fs.root())) // then it is the empty one
      CHECK((word == "at" || what == "." || what == ".."));
  }
  CHECK(said.starts_with("at "));
}

TEST_CASE("a spare of a supervisor in a chroot stays in it", "[shim][spares]") {
  const busybox_rootfs fs;
  const auto child = sys::clone_process(sys::parentage::own, 0, -1).value();
  if (child.pid == 0)
    ::_exit(stays_in(fs.root()) ? 0 : 1);
  CHECK(sys::wait_for_exit(child.pidfd.get()).value().code == 0);
}

} // namespace troupe::shim_spares_test
