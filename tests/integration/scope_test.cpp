// Cgroups made by systemd: --systemd-cgroup. Needs a host whose init it is,
// such as the second boot of tests/vm.

#include "runtime/linux/file.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/scratch_cgroup.hpp"
#include "tests/support/skipped.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <unistd.h>

namespace troupe::scope_test {

using Catch::Contains;
using cgroup_test::eventually;
using cgroup_test::exists;
using test::oci_box;

namespace {

bool has_systemd() {
  return exists("/run/systemd/system");
}

constexpr auto no_systemd = "systemd is not the init here";

/// A property of a unit, as systemctl(1) shows it.
std::string property(const std::string& unit, const std::string& name) {
  const auto said = test::run({"systemctl", "show", "-P", name, unit});
  return said.out.substr(0, said.out.find('\n'));
}

bool is_loaded(const std::string& unit) {
  return property(unit, "LoadState") == "loaded";
}

std::string content(const std::string& path) {
  auto text = sys::read_file(AT_FDCWD, path).value_or("absent");
  return text.substr(0, text.find('\n'));
}

/// A name that no other test has.
std::string fresh_name() {
  static auto counter = 0;
  return std::to_string(::getpid()) + "x" + std::to_string(++counter);
}

struct scoped_box : oci_box {
  scoped_box() : name(fresh_name()) {
    spec.linux_.cgroups_path = "system.slice:troupetest:" + name;
    spec.linux_.resources.emplace().pids_limit = 64;
    spec.linux_.resources->memory.emplace().limit = 64 << 20;
    write();
  }

  test::command_result ask(std::vector<std::string> words) const {
    words.insert(words.begin(), "--systemd-cgroup");
    return quietly(words);
  }

  void create_and_start() {
    const auto made = ask({"create", "--bundle", fs.bundle(), "web"});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
    REQUIRE(ask({"start", "web"}).exit_code == 0);
  }

  [[nodiscard]] std::string unit() const {
    return "troupetest-" + name + ".scope";
  }

  [[nodiscard]] std::string directory() const {
    return "/sys/fs/cgroup/system.slice/" + unit();
  }

  std::string name;
};

} // namespace

TEST_CASE("systemd makes a container's scope, and it ends with it",
          "[systemd]") {
  if (!has_systemd())
    return test::skipped(no_systemd);
  scoped_box box;
  box.create_and_start();
  CHECK(property(box.unit(), "ActiveState") == "active");
  CHECK(property(box.unit(), "ControlGroup") == "/system.slice/" + box.unit());
  CHECK(property(box.unit(), "Delegate") == "yes");
  CHECK(property(box.unit(), "MemoryMax") == "67108864");
  CHECK(property(box.unit(), "TasksMax") == "64");
  CHECK(content(box.directory() + "/memory.max") == "67108864");
  CHECK(content(box.directory() + "/pids.max") == "64");
  // Only the container's own process: the helper has gone.
  CHECK(content(box.directory() + "/pids.current") == "1");
  CHECK(content("/proc/" + box.state("web").at("pid").dump() + "/cgroup")
        == "0::/system.slice/" + box.unit());
  CHECK(box.ask({"exec", "web", "true"}).exit_code == 0);
  CHECK(box.ask({"pause", "web"}).exit_code == 0);
  CHECK(box.status("web") == "paused");
  CHECK(box.ask({"resume", "web"}).exit_code == 0);
  REQUIRE(box.ask({"delete", "--force", "web"}).exit_code == 0);
  CHECK_FALSE(exists(box.directory()));
  CHECK(eventually([&] { return !is_loaded(box.unit()); }));
}

TEST_CASE("an update reaches systemd, which does not undo it", "[systemd]") {
  if (!has_systemd())
    return test::skipped(no_systemd);
  scoped_box box;
  box.create_and_start();
  const auto said = box.ask({"update", "--memory", "33554432", "--pids-limit",
                             "32", "--cpu-quota", "50000", "web"});
  INFO(said.err);
  REQUIRE(said.exit_code == 0);
  CHECK(property(box.unit(), "MemoryMax") == "33554432");
  CHECK(property(box.unit(), "TasksMax") == "32");
  CHECK(property(box.unit(), "CPUQuotaPerSecUSec") == "500ms");
  REQUIRE(test::run({"systemctl", "daemon-reload"}).exit_code == 0);
  CHECK(content(box.directory() + "/memory.max") == "33554432");
  CHECK(content(box.directory() + "/pids.max") == "32");
  CHECK(content(box.directory() + "/cpu.max") == "50000 100000");
}

TEST_CASE("a scope is stopped by systemctl as any other", "[systemd]") {
  if (!has_systemd())
    return test::skipped(no_systemd);
  scoped_box box;
  box.runs("trap 'exit 7' TERM; while :; do sleep 0.1; done");
  box.create_and_start();
  REQUIRE(test::run({"systemctl", "stop", box.unit()}).exit_code == 0);
  box.wait_until_stopped("web");
  CHECK(box.ask({"delete", "web"}).exit_code == 0);
}

TEST_CASE("what systemd refuses leaves nothing", "[systemd][bad]") {
  if (!has_systemd())
    return test::skipped(no_systemd);
  scoped_box box;
  const auto refused = [&](const std::string& why) {
    const auto said = box.ask({"create", "--bundle", box.fs.bundle(), "web"});
    INFO(said.err);
    CHECK(said.exit_code == 1);
    CHECK_THAT(said.err, Contains(why));
    CHECK(box.call({"state", "web"}).exit_code == 1);
  };
  box.spec.annotations["org.systemd.property.Nonsense"] = "true";
  box.write();
  refused("Nonsense");
  CHECK_FALSE(is_loaded(box.unit()));
  box.spec.annotations.clear();
  box.spec.linux_.cgroups_path = "/a/path";
  box.write();
  refused("/linux/cgroupsPath: expected slice:prefix:name");
}

TEST_CASE("trouped's containers are scopes, too", "[systemd][e2e]") {
  if (!has_systemd())
    return test::skipped(no_systemd);
  test::busybox_rootfs root;
  test::supervisor host;
  host.start({"--systemd-cgroup"});
  const auto name = "web" + fresh_name();
  const auto unit = "troupe-" + name + ".scope";
  const auto run = [&] {
    return host.troupe({"run", "-d", "--name", name, "--memory", "64m",
                        "--rootfs", root.path(), "--", "/bin/sleep", "1000"});
  };
  // The same name again and again: each scope is gone before the next.
  for (auto round = 0; round < 5; ++round) {
    const auto said = run();
    INFO(said.err);
    REQUIRE(said.exit_code == 0);
    CHECK(property(unit, "ActiveState") == "active");
    CHECK(property(unit, "MemoryMax") == "67108864");
    CHECK(host.troupe({"update", "--memory", "32m", name}).exit_code == 0);
    CHECK(property(unit, "MemoryMax") == "33554432");
    CHECK(host.troupe({"exec", name, "true"}).exit_code == 0);
    REQUIRE(host.troupe({"rm", "-f", name}).exit_code == 0);
  }
  CHECK(host.finish().empty());
  CHECK(eventually([&] { return !is_loaded(unit); }));
}

} // namespace troupe::scope_test
