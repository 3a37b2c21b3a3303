#include "runtime/cgroup/scope.hpp"
#include "runtime/cgroup/update.hpp"
#include "runtime/cgroup/writes.hpp"

#include <catch2/catch.hpp>

namespace troupe::scope_test {

using Catch::Contains;
using plan::unit_property;

namespace {

plan::host_facts systemd_host() {
  plan::host_facts out;
  out.cgroups = plan::cgroup_mode::v2;
  out.v2_mount = "/sys/fs/cgroup";
  out.v2_controllers = {"cpu", "memory", "pids", "io", "cpuset"};
  out.scope_helper = "/usr/bin/troupe-scope";
  out.pressure = true;
  return out;
}

oci::spec at(const std::string& path) {
  oci::spec out;
  out.linux_.cgroups_path = path;
  return out;
}

plan::cgroup planned(const oci::spec& spec) {
  return cgroup::plan_cgroup(spec, systemd_host(), "web").value();
}

std::string refusal(const oci::spec& spec,
                    const plan::host_facts& host = systemd_host()) {
  const auto out = cgroup::plan_cgroup(spec, host, "web");
  REQUIRE_FALSE(out);
  return out.error().what;
}

using properties = std::vector<unit_property>;

properties limits(const properties& of) {
  return cgroup::properties_of([&] {
    std::vector<plan::cgroup_write> out;
    for (const auto& each : of)
      out.push_back({0, each.name, each.value, ""});
    return out;
  }());
}

} // namespace

TEST_CASE("a systemd path is a scope in a slice", "[scope]") {
  const auto in = planned(at("machine.slice:libpod:abc"));
  CHECK(in.scope.unit == "libpod-abc.scope");
  CHECK(in.scope.slice == "machine.slice");
  CHECK(in.scope.helper == "/usr/bin/troupe-scope");
  REQUIRE(in.dirs.size() == 1);
  CHECK(in.dirs[0].path == "/machine.slice/libpod-abc.scope");
}

TEST_CASE("what a systemd path leaves out has its usual value", "[scope]") {
  CHECK(planned(at("")).dirs[0].path == "/system.slice/troupe-web.scope");
  CHECK(planned(at("::x")).dirs[0].path == "/system.slice/x.scope");
  CHECK(planned(at("-.slice:a:b")).dirs[0].path == "/a-b.scope");
  CHECK(planned(at("a-b-c.slice:p:n")).dirs[0].path
        == "/a.slice/a-b.slice/a-b-c.slice/p-n.scope");
}

TEST_CASE("a path that systemd cannot have is refused", "[scope][bad]") {
  for (const auto* path : {"/a/b", "a", "a:b", "a:b:c:d"})
    CHECK_THAT(refusal(at(path)), Contains("/linux/cgroupsPath: expected "
                                           "slice:prefix:name"));
  for (const auto* path : {"a:b:c", "a--b.slice:b:c", "-a.slice:b:c",
                           ".slice:b:c", "a/b.slice:c:d", "../a.slice:b:c"})
    CHECK_THAT(refusal(at(path)), Contains("no name of a slice"));
  CHECK_THAT(refusal(at("a.slice:b:")), Contains("no name of a scope"));
  CHECK_THAT(refusal(at("a.slice:b:c/d")), Contains("no name of a scope"));
  CHECK_THAT(refusal(at("a.slice:b:c.slice")), Contains("no slice"));
  auto hybrid = systemd_host();
  hybrid.cgroups = plan::cgroup_mode::hybrid;
  CHECK_THAT(refusal(at("a.slice:b:c"), hybrid), Contains("v2 alone"));
}

TEST_CASE("systemd is told of the limits that it would undo", "[scope]") {
  CHECK(limits({{"memory.max", "", "67108864"}, {"pids.max", "", "max"}})
        == properties{{"MemoryMax", "t", "67108864"},
                      {"TasksMax", "t", "18446744073709551615"}});
  CHECK(limits({{"cpu.max", "", "50000 100000"}})
        == properties{{"CPUQuotaPerSecUSec", "t", "500000"}});
  CHECK(limits({{"cpu.max", "", "12345 50000"}})
        == properties{{"CPUQuotaPerSecUSec", "t", "250000"},
                      {"CPUQuotaPeriodUSec", "t", "50000"}});
  CHECK(limits({{"cpu.max", "", "max 100000"}})
        == properties{{"CPUQuotaPerSecUSec", "t", "18446744073709551615"}});
  CHECK(limits({{"cpuset.cpus", "", "0-2,9"}})
        == properties{{"AllowedCPUs", "ay", "0702"}});
  CHECK(limits({{"cpuset.mems", "", "1,99999999999,-5"}})
        == properties{{"AllowedMemoryNodes", "ay", "3f"}});
  CHECK(limits({{"hugetlb.2MB.max", "", "0"}}).empty());
}

TEST_CASE("annotations are properties of the scope", "[scope]") {
  auto spec = at("a.slice:b:c");
  spec.annotations = {{"org.systemd.property.TimeoutStopUSec", "uint64 5"},
                      {"org.systemd.property.TimeoutStopSec", "7"},
                      {"org.systemd.property.KillSignal", "37"},
                      {"org.systemd.property.SendSIGHUP", "true"},
                      {"org.systemd.property.Description", "'my web'"},
                      {"other", "x"}};
  const auto found = planned(spec).scope.properties;
  const auto has = [&](const unit_property& x) {
    return std::count(found.begin(), found.end(), x) == 1;
  };
  CHECK(has({"TimeoutStopUSec", "t", "5"}));
  CHECK(has({"TimeoutStopUSec", "t", "7000000"}));
  CHECK(has({"KillSignal", "i", "37"}));
  CHECK(has({"SendSIGHUP", "b", "true"}));
  CHECK(has({"Description", "s", "my web"}));
  for (const auto* value : {"", "uint64", "uint64 -1", "[1]", "'x", "yes"}) {
    spec.annotations = {{"org.systemd.property.X", value}};
    CHECK_THAT(refusal(spec), Contains("/annotations/org.systemd.property.X"));
  }
}

TEST_CASE("an update stays in the scope that there is", "[scope]") {
  const auto now = planned(at("a.slice:b:c"));
  oci::resources wanted;
  wanted.pids_limit = 7;
  const auto to = cgroup::plan_update(now, wanted, systemd_host()).value();
  CHECK(to.scope == now.scope);
  CHECK(to.dirs == now.dirs);
  CHECK(cgroup::properties_of(to.writes) == properties{{"TasksMax", "t", "7"}});
}

TEST_CASE("pressure triggers are compiled to the container's v2 directory",
          "[pressure]") {
  auto spec = at("a.slice:b:c");
  spec.annotations["troupe.notify-pressure"] = "memory=some:150ms/1s";
  const auto in = planned(spec);
  REQUIRE(in.triggers.size() == 1);
  CHECK(in.triggers[0].file == "memory.pressure");
  CHECK(in.triggers[0].value == "some 150000 1000000");
  auto host = systemd_host();
  host.permitted_capabilities = 0;
  CHECK_THAT(refusal(spec, host), Contains("CAP_SYS_RESOURCE"));
  host.pressure = false;
  CHECK_THAT(refusal(spec, host),
             Contains("/annotations/troupe.notify-pressure: this host"));
  spec.annotations["troupe.notify-pressure"] = "x";
  CHECK_THAT(refusal(spec), Contains("/annotations/troupe.notify-pressure: "
                                     "expected"));
}

} // namespace troupe::scope_test
