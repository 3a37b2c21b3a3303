// bench/floor is what others are measured by: it must do all that they do.

#include "runtime/compile/compile.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/skipped.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <unistd.h>
#include <utility>

namespace troupe::floor_test {

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
    // Else it comes from the image's /etc/passwd, which the floor does not
    // read.
    box.spec.process->env.emplace_back("HOME=/root");
    std::filesystem::create_symlink("busybox", box.fs.root() / "bin/cut");
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

using lines = std::vector<std::string>;

/// Sorted lines, without what is another for every container: the floor's times
/// on stderr, dates of files, processes in procfs, device numbers of mounts.
lines comparable(const std::string& text) {
  static const std::regex date{"[A-Z][a-z][a-z] +[0-9]+ [0-9]+:[0-9]+ "};
  // What mount(2) calls read-only is the file system, too; fsmount(2) means the
  // mount alone. There is nothing that anyone could tell by it.
  static const std::regex sysfs{"sysfs sysfs r[ow]"};
  lines out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    const auto is_process = !line.empty()
                            && line.find_first_not_of("0123456789")
                                 == std::string::npos;
    if (line.starts_with("{\"began\"") || is_process)
      continue;
    line = std::regex_replace(line, date, "DATE ");
    out.push_back(std::regex_replace(line, sysfs, "sysfs"));
  }
  std::ranges::sort(out);
  return out;
}

/// Lines that only one side has.
std::string differences(const lines& floor, const lines& troupe) {
  std::string out;
  lines only;
  std::ranges::set_difference(floor, troupe, std::back_inserter(only));
  for (const auto& line : std::exchange(only, {}))
    out += "floor:  " + line + '\n';
  std::ranges::set_difference(troupe, floor, std::back_inserter(only));
  for (const auto& line : only)
    out += "troupe: " + line + '\n';
  return out;
}

/// Where it is not, with the reason told.
bool has_floor() {
  if (sys::probe_host("/unused").cgroups != plan::cgroup_mode::v2)
    return true;
  test::skipped("bench/floor knows no host with cgroup v2 alone");
  return false;
}

} // namespace

TEST_CASE("a container of the floor sees what one of troupe sees") {
  if (!has_floor())
    return;
  beside both;
  both.box.runs(look);
  const auto seen = both.of_troupe();
  CHECK(seen.find("Seccomp:\t2") != std::string::npos);
  CHECK(seen.find("/sys/firmware") != std::string::npos);
  CHECK(differences(comparable(both.of_floor()), comparable(seen)) == "");
}

TEST_CASE("a container of the floor is in namespaces of its own") {
  if (!has_floor())
    return;
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
  if (!has_floor())
    return;
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
  if (!has_floor())
    return;
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

} // namespace troupe::floor_test
