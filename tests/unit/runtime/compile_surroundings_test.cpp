#include "runtime/compile/explain.hpp"
#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <sched.h>

namespace troupe::compile_surroundings_test {

using namespace troupe::plan;
using Catch::Matchers::StartsWith;
using kind = oci::namespace_kind;
using test::base;
using test::compiled;
using test::refusal;

namespace {

oci::spec with_user_namespace() {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.linux_.uid_mappings = {{0, 1000, 1}};
  spec.linux_.gid_mappings = {{0, 1001, 1}};
  return spec;
}

host_facts host_of_user() {
  auto out = test::plain_host();
  out.uid = 1000;
  out.gid = 1001;
  return out;
}

std::vector<std::string> said(const launch_plan& plan, phase in) {
  std::vector<std::string> out;
  for (const auto& step : explain(plan))
    if (step.phase == to_string(in))
      out.push_back(step.what);
  return out;
}

} // namespace

// -- network devices ----------------------------------------------------------

TEST_CASE("network devices keep their names unless told otherwise") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::network, ""});
  spec.linux_.net_devices = {{"eth0", ""}, {"eth/1", "lan%d"}};
  const auto plan = compiled(spec);
  CHECK(plan.net_devices
        == std::vector<plan::net_device>{
          {"eth0", "eth0", "/linux/netDevices/eth0"},
          {"eth/1", "lan%d", "/linux/netDevices/eth~11"}});
  CHECK(said(plan, phase::net_device)
        == std::vector<std::string>{
          "move network device eth0 into the container",
          "move network device eth/1 into the container as lan%d"});
}

// -- resctrl ------------------------------------------------------------------

TEST_CASE("a class of service needs resctrl on the host") {
  auto spec = base();
  spec.linux_.intel_rdt.emplace().clos_id = "gold";
  CHECK(refusal(spec).what
        == "/linux/intelRdt: this host has no resctrl mounted");
}

TEST_CASE("a class of service is the named one or the container's own") {
  auto host = test::plain_host();
  host.resctrl_mount = "/sys/fs/resctrl";
  auto spec = base();
  CHECK(compiled(spec, host).intel_rdt == plan::intel_rdt{});
  auto& rdt = spec.linux_.intel_rdt.emplace();
  CHECK(compiled(spec, host).intel_rdt
        == plan::intel_rdt{"/sys/fs/resctrl/web-1", false, {}, false});
  rdt.clos_id = "gold";
  rdt.enable_monitoring = true;
  CHECK(compiled(spec, host).intel_rdt
        == plan::intel_rdt{"/sys/fs/resctrl/gold", true, {}, true});
  rdt.clos_id = "/";
  CHECK(compiled(spec, host).intel_rdt.directory == "/sys/fs/resctrl");
}

TEST_CASE("schemata are written after the older schemas, bandwidth once") {
  auto host = test::plain_host();
  host.resctrl_mount = "/r";
  auto spec = base();
  auto& rdt = spec.linux_.intel_rdt.emplace();
  rdt.l3_cache_schema = "L3:0=f\nMB:0=10";
  CHECK(compiled(spec, host).intel_rdt.schemata
        == std::vector<std::string>{"L3:0=f", "MB:0=10"});
  rdt.mem_bw_schema = "MB:0=20";
  rdt.schemata = {"L2:0=1", "MB:0=30"};
  const auto plan = compiled(spec, host);
  CHECK(plan.intel_rdt.schemata
        == std::vector<std::string>{"L3:0=f", "MB:0=20", "L2:0=1", "MB:0=30"});
  CHECK(said(plan, phase::intel_rdt)
        == std::vector<std::string>{"create resctrl class /r/web-1",
                                    "schemata: L3:0=f", "schemata: MB:0=20",
                                    "schemata: L2:0=1", "schemata: MB:0=30"});
}

// -- user namespaces ----------------------------------------------------------

TEST_CASE("a user namespace mounts only what shows namespaces of its own") {
  const auto [type, needs] = GENERATE(table<const char*, kind>(
    {{"proc", kind::pid}, {"sysfs", kind::network}, {"mqueue", kind::ipc}}));
  auto spec = with_user_namespace();
  spec.mounts = {{"/x", type, type, {}, {}, {}}};
  const auto why = refusal(spec);
  CHECK(why.code == fault::unsupported);
  CHECK_THAT(why.what, StartsWith(std::string{"/mounts/0/type: "} + type
                                  + " in a user namespace needs "));
  spec.linux_.namespaces.push_back({needs, ""});
  CHECK(test::compiled_or_not(spec));
  spec.linux_.namespaces = base().linux_.namespaces;
  CHECK(test::compiled_or_not(spec)); // and without a user namespace
}

TEST_CASE("mappings beside a joined user namespace are not used, and said so") {
  auto spec = with_user_namespace();
  spec.linux_.namespaces.back().path = "/n/user";
  const auto plan = compiled(spec);
  CHECK(plan.namespaces.uid_map.empty());
  REQUIRE(plan.warnings.size() == 2);
  CHECK_THAT(plan.warnings[0], StartsWith("/linux/uidMappings: not used"));
  CHECK_THAT(plan.warnings[1], StartsWith("/linux/gidMappings: not used"));
}

// -- ordinary users -----------------------------------------------------------

TEST_CASE("an ordinary user's plan says so") {
  const auto spec = with_user_namespace();
  CHECK(compiled(spec, host_of_user()).namespaces.unprivileged_maps);
  CHECK_FALSE(compiled(spec).namespaces.unprivileged_maps);
}

TEST_CASE("what an ordinary user cannot have is refused with its place") {
  struct row {
    const char* pointer;
    void (*ask)(oci::spec&);
  };
  const row rows[] = {
    {"/linux/namespaces: an ordinary user needs a user namespace",
     [](oci::spec& x) { x.linux_.namespaces.pop_back(); }},
    {"/linux/timeOffsets",
     [](oci::spec& x) {
       x.linux_.time_offsets = {{"boottime", 1, 0}};
     }},
    {"/linux/netDevices",
     [](oci::spec& x) {
       x.linux_.net_devices = {{"eth0", ""}};
     }},
    {"/linux/intelRdt", [](oci::spec& x) { x.linux_.intel_rdt.emplace(); }},
    {"/linux/cgroupsPath", [](oci::spec& x) { x.linux_.cgroups_path = "/x"; }},
    {"/linux/resources/pids",
     [](oci::spec& x) { x.linux_.resources.emplace().pids_limit = 5; }},
    {"/process/user/additionalGids",
     [](oci::spec& x) { x.process->user.additional_gids = {7}; }},
    {"/mounts/0/options",
     [](oci::spec& x) {
       x.mounts = {test::bind("/a", "/a", {"bind", "idmap"})};
     }},
  };
  CHECK(test::compiled_or_not(with_user_namespace(), host_of_user()));
  for (const auto& [pointer, ask] : rows) {
    auto spec = with_user_namespace();
    ask(spec);
    const auto why = refusal(spec, host_of_user());
    CHECK(why.code == fault::unsupported);
    CHECK_THAT(why.what, StartsWith(pointer));
  }
}

TEST_CASE("groups of a mapped range are an ordinary user's to give") {
  auto spec = with_user_namespace();
  spec.linux_.gid_mappings.push_back({1, 100000, 100});
  spec.process->user.additional_gids = {7};
  CHECK(test::compiled_or_not(spec, host_of_user()));
}

} // namespace troupe::compile_surroundings_test
