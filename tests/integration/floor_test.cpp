// bench/floor is what others are measured by: it must do all that they do.

#include "runtime/compile/compile.hpp"
#include "tests/support/oci_box.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <unistd.h>

using namespace troupe;
using test::oci_box;

namespace {

/// What a process can see of where it is.
constexpr auto look = R"(
  cut -d ' ' -f 4- /proc/self/mountinfo
  grep -E '^(Seccomp|Cap|NoNewPrivs|Uid|Gid|Groups|NSpid)' /proc/self/status
  cut -d : -f 2- /proc/self/cgroup
  for i in /sys/fs/cgroup/*; do echo $i; done
  ls -l /dev /dev/pts /dev/shm
  ls /proc /proc/acpi /proc/scsi /sys/firmware
  cat /proc/kcore /proc/keys | wc -c
  cat /sys/fs/cgroup/devices/devices.list
  cat /sys/class/net/lo/flags /proc/self/oom_score_adj
  cat /proc/net/route | wc -l
  umask; pwd; env; hostname; id
  echo x > /proc/sys/kernel/hostname
  touch /sys/x
  mount -t tmpfs tmpfs /tmp
  true)";

constexpr auto namespaces = R"(
  for i in cgroup ipc mnt net pid uts user time; do readlink /proc/self/ns/$i; done)";

/// The floor and troupe-oci on the same spec.
class beside {
public:
  beside() {
    const auto parent = box.spec.linux_.cgroups_path;
    box.spec = default_spec(box.fs.path());
    box.spec.linux_.cgroups_path = parent;
    box.spec.hostname = "beside";
    for (const auto* name : {"cut", "wc", "umount"})
      std::filesystem::create_symlink("busybox", box.fs.root() / "bin" / name);
  }

  /// stdout and stderr of both.
  [[nodiscard]] std::string of_troupe() const {
    const auto done = box.call({"run", "--bundle", box.fs.bundle(), "web"});
    REQUIRE(done.exit_code == 0);
    return done.out + done.err;
  }

  [[nodiscard]] std::string of_floor() const {
    const auto compiled = plan::compile(box.spec, sys::probe_host("/unused"),
                                        "box", box.fs.bundle());
    REQUIRE(compiled);
    const auto bytes = plan::encode(*compiled);
    box.directory.write("plan", {bytes.begin(), bytes.end()});
    const auto done = test::run({std::string{TROUPE_BIN_DIR} + "/troupe-floor",
                                 box.directory / "plan", "1"});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return done.out + done.err;
  }

  oci_box box;
};

/// The floor reports its times on stderr, the last line; masks have numbers of
/// their own; times of files are those of the start.
std::string comparable(const std::string& text) {
  std::istringstream lines{text};
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("{\"began\""))
      continue;
    line = std::regex_replace(line, std::regex{"[0-9]+:[0-9]+ "}, "DEV ");
    line = std::regex_replace(
      line, std::regex{"[A-Z][a-z][a-z] +[0-9]+ [0-9:]+"}, "TIME");
    line = std::regex_replace(line, std::regex{"/box-[0-9]+"}, "/box");
    // Of procfs: processes come and go.
    if (!line.empty()
        && line.find_first_not_of("0123456789") == std::string::npos)
      continue;
    out += line + '\n';
  }
  return out;
}

} // namespace

TEST_CASE("a container of the floor sees what one of troupe sees") {
  beside both;
  both.box.runs(look);
  const auto troupe = comparable(both.of_troupe());
  CHECK(troupe.find("Seccomp:\t2") != std::string::npos);
  CHECK(troupe.find("/sys/firmware") != std::string::npos);
  CHECK(comparable(both.of_floor()) == troupe);
}

TEST_CASE("a container of the floor is in namespaces of its own") {
  beside both;
  both.box.runs(namespaces);
  const auto host = test::run({"/bin/sh", "-c", namespaces}).out;
  std::istringstream ours{host};
  std::istringstream floors{both.of_floor()};
  std::istringstream troupes{both.of_troupe()};
  std::string our;
  std::string floor;
  std::string troupe;
  for (auto i = 0; i < 8; ++i) {
    REQUIRE(std::getline(ours, our));
    REQUIRE(std::getline(floors, floor));
    REQUIRE(std::getline(troupes, troupe));
    INFO(our << ' ' << floor << ' ' << troupe);
    CHECK((our == floor) == (our == troupe));
  }
}

TEST_CASE("the floor leaves no cgroup behind, in a row or at once") {
  beside both;
  both.box.runs("exit 0");
  REQUIRE(both.of_floor().find("\"exit_code\":[0]") != std::string::npos);
  const auto done = test::run({std::string{TROUPE_BIN_DIR} + "/troupe-floor",
                               both.box.directory / "plan", "8", "4"});
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.err.find("\"exit_code\":[0,0,0,0,0,0,0,0]") != std::string::npos);
  for (const auto& dir : both.box.own_cgroup().dirs) {
    const auto parent
      = std::filesystem::path{dir.mount + dir.path}.parent_path();
    for (const auto& each : std::filesystem::directory_iterator{parent}) {
      INFO(each.path());
      CHECK_FALSE(each.is_directory());
    }
  }
}

TEST_CASE("the floor refuses what it has no call for") {
  beside both;
  both.box.spec.linux_.sysctl["net.ipv4.ip_forward"] = "1";
  both.box.runs("exit 0");
  const auto compiled = plan::compile(both.box.spec, sys::probe_host("/unused"),
                                      "box", both.box.fs.bundle());
  REQUIRE(compiled);
  const auto bytes = plan::encode(*compiled);
  both.box.directory.write("plan", {bytes.begin(), bytes.end()});
  const auto done = test::run({std::string{TROUPE_BIN_DIR} + "/troupe-floor",
                               both.box.directory / "plan", "1"});
  CHECK(done.exit_code == 1);
  CHECK(done.err.find("does not know sysctls") != std::string::npos);
}
