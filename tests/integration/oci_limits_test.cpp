#include "tests/support/oci_box.hpp"
#include "tests/support/scratch_cgroup.hpp"

namespace troupe::oci_limits_test {

using Catch::Contains;
using cgroup_test::limiting_mode;
using test::oci_box;

namespace {

/// A container that runs.
struct running_box : oci_box {
  running_box() {
    create("web");
    REQUIRE(call({"start", "web"}).exit_code == 0);
  }

  /// The first line of the container's control file of this name, in v1 and in
  /// v2; "" where it has none.
  [[nodiscard]] std::string limit(const std::string& controller,
                                  const std::string& v1_name,
                                  const std::string& v2_name) const {
    const auto host = sys::probe_host("/x");
    const auto found = host.v1_mounts.find(controller);
    const auto v1 = found != host.v1_mounts.end();
    const auto text = sys::read_file(
      AT_FDCWD, (v1 ? found->second : host.v2_mount) + spec.linux_.cgroups_path
                  + "/" + (v1 ? v1_name : v2_name));
    return text.value_or("").substr(0, text.value_or("").find('\n'));
  }
};

} // namespace

TEST_CASE_METHOD(running_box, "pause freezes a container, resume thaws it") {
  REQUIRE(call({"pause", "web"}).exit_code == 0);
  CHECK(status("web") == "paused");
  CHECK_THAT(call({"pause", "web"}).err, Contains("container not running"));
  const auto refused = call({"exec", "web", "true"});
  CHECK(refused.exit_code == 255);
  CHECK_THAT(refused.err, Contains("cannot exec in a paused container"));
  REQUIRE(call({"resume", "web"}).exit_code == 0);
  CHECK(status("web") == "running");
  CHECK(call({"exec", "web", "true"}).exit_code == 0);
}

TEST_CASE_METHOD(running_box, "a paused container can be killed and deleted") {
  REQUIRE(call({"pause", "web"}).exit_code == 0);
  SECTION("kill") {
    REQUIRE(call({"kill", "web", "KILL"}).exit_code == 0);
    wait_until_stopped("web");
  }
  SECTION("kill --all") {
    REQUIRE(call({"kill", "--all", "web", "KILL"}).exit_code == 0);
    wait_until_stopped("web");
  }
  CHECK(call({"delete", "--force", "web"}).exit_code == 0);
  CHECK(leftovers() == std::vector<std::string>{});
}

TEST_CASE_METHOD(running_box, "update changes limits, by flags and by file") {
  REQUIRE(call({"update", "--pids-limit", "50", "--cpu-share", "512", "web"})
            .exit_code
          == 0);
  const auto memory = call(
    {"update", "--resources", "-", "web"},
    {.input = R"({"memory":{"limit":67108864,"swap":0},"cpu":{"cpus":""}})"});
  INFO(memory.err);
  CHECK(memory.exit_code == 0);
  if (limiting_mode() != plan::cgroup_mode::none) {
    CHECK(limit("pids", "pids.max", "pids.max") == "50");
    const auto weight = limit("cpu", "cpu.shares", "cpu.weight");
    CHECK((weight == "512" || weight == "20")); // v1's unit, and v2's
    CHECK(limit("memory", "memory.limit_in_bytes", "memory.max") == "67108864");
  }
  CHECK_THAT(call({"update", "--memory", "lots", "web"}).err,
             Contains("--memory: size: expected"));
}

TEST_CASE_METHOD(running_box, "an update that fails changes nothing") {
  REQUIRE(call({"update", "--pids-limit", "50", "--cpu-quota", "50000", "web"})
            .exit_code
          == 0);
  // A period below the kernel's least, 1 ms.
  const auto said = call(
    {"update", "--pids-limit", "60", "--cpu-period", "10", "web"});
  CHECK(said.exit_code == 1);
  CHECK_THAT(said.err, Contains("cpu/period"));
  if (limiting_mode() != plan::cgroup_mode::none) {
    CHECK(limit("pids", "pids.max", "pids.max") == "50");
    CHECK_THAT(limit("cpu", "cpu.cfs_quota_us", "cpu.max"),
               Catch::Equals("50000") || Catch::Equals("50000 100000"));
  }
}

TEST_CASE_METHOD(running_box, "update reaches a controller that nobody asked "
                              "for before") {
  const auto host = sys::probe_host("/x");
  if (!host.v1_mounts.contains("cpuset")
      && std::ranges::count(host.v2_controllers, "cpuset") == 0)
    return test::skipped("no cpuset controller");
  const auto said = call({"update", "--cpuset-cpus", "0", "web"});
  INFO(said.err);
  REQUIRE(said.exit_code == 0);
  CHECK(limit("cpuset", "cpuset.cpus", "cpuset.cpus") == "0");
  CHECK(limit("cpuset", "cgroup.procs", "cgroup.procs")
        == std::to_string(state("web").at("pid").get<int>()));
  REQUIRE(call({"delete", "--force", "web"}).exit_code == 0);
  CHECK(limit("cpuset", "cpuset.cpus", "cpuset.cpus").empty());
}

TEST_CASE_METHOD(running_box, "events tells counters in runc's shape") {
  const auto said = call({"events", "--stats", "web"});
  REQUIRE(said.exit_code == 0);
  const auto event = nlohmann::json::parse(said.out);
  CHECK(event.at("type") == "stats");
  CHECK(event.at("id") == "web");
  CHECK(event.at("/data/cpu/usage/total"_json_pointer) > 0);
  if (limiting_mode() != plan::cgroup_mode::none) {
    CHECK(event.at("/data/memory/usage/usage"_json_pointer) > 0);
    CHECK(event.at("/data/pids/current"_json_pointer) == 1);
  }
}

TEST_CASE_METHOD(running_box, "events goes on until the container ends") {
  test::background events{{oci_box::program(), "--root", root(), "events",
                           "--interval", "50ms", "web"}};
  REQUIRE(events.wait_for_output("\"type\":\"stats\""));
  REQUIRE(call({"kill", "web", "9"}).exit_code == 0);
  CHECK(events.wait() == 0);
}

TEST_CASE("events tells of an OOM kill") {
  if (limiting_mode() == plan::cgroup_mode::none)
    return;
  oci_box box;
  box.spec.linux_.resources.emplace().memory.emplace().limit = 8 << 20;
  // The victim is a child: the container lives on.
  box.runs("read go </tmp/go; (tail /dev/zero); sleep 1000");
  std::filesystem::create_directories(box.fs.root() / "tmp");
  std::filesystem::create_symlink("busybox", box.fs.root() / "bin/tail");
  REQUIRE(::mkfifo((box.fs.root() / "tmp/go").c_str(), 0600) == 0);
  box.spec.root->readonly = false;
  box.write();
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  test::background events{{oci_box::program(), "--root", box.root(), "events",
                           "--interval", "50ms", "web"}};
  REQUIRE(events.wait_for_output("\"type\":\"stats\""));
  std::ofstream{box.fs.root() / "tmp/go"} << "go\n";
  CHECK(events.wait_for_output("\"type\":\"oom\""));
}

TEST_CASE_METHOD(running_box,
                 "ps shows what ps shows, of the container alone") {
  const auto pid = std::to_string(state("web").at("pid").get<int>());
  const auto table = call({"ps", "web"}).out;
  CHECK_THAT(table, Contains("PID") && Contains(pid));
  CHECK(std::ranges::count(table, '\n') == 2);
  CHECK_THAT(call({"ps", "web", "-o", "comm"}).err, Contains("PID field"));
}

TEST_CASE_METHOD(oci_box,
                 "without a cgroup manager a container has no cgroup") {
  std::erase_if(spec.linux_.namespaces, [](const auto& each) {
    return each.kind == oci::namespace_kind::cgroup;
  });
  spec.linux_.resources.emplace().pids_limit = 100;
  runs("cat /proc/self/cgroup");
  const auto done = call(
    {"--cgroup-manager", "disabled", "run", "--bundle", fs.bundle(), "web"});
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.out == sys::read_file(AT_FDCWD, "/proc/self/cgroup"));
  CHECK(leftovers() == std::vector<std::string>{});
}

} // namespace troupe::oci_limits_test
