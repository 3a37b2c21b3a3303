#include "runtime/plan/launch_plan.hpp"
#include "tests/support/maximal_plan.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <limits>
#include <set>

namespace troupe::plan_test {

using namespace troupe::plan;

namespace {

using std::span;

/// Every plan that another build may hand us, and every way to spoil it.
template <class Decode>
void check_prefixes(const bytes& whole, Decode decode) {
  for (std::size_t size = 0; size != whole.size(); ++size) {
    const auto got = decode(span{whole}.first(size));
    if (got)
      FAIL("a plan came out of the first " << size << " bytes");
    if (got.error().code != fault::invalid_config)
      FAIL("prefix " << size << ": " << got.error().what);
  }
}

} // namespace

TEST_CASE("a launch plan survives the codec whole") {
  const auto plan = test::maximal<launch_plan>();
  const auto decoded = decode_launch_plan(encode(plan));
  REQUIRE(decoded);
  CHECK(*decoded == plan);
}

TEST_CASE("an exec plan survives the codec whole") {
  const auto plan = test::maximal<exec_plan>();
  const auto decoded = decode_exec_plan(encode(plan));
  REQUIRE(decoded);
  CHECK(*decoded == plan);
}

TEST_CASE("an empty plan survives the codec") {
  const auto decoded = decode_launch_plan(encode(launch_plan{}));
  REQUIRE(decoded);
  CHECK(*decoded == launch_plan{});
}

TEST_CASE("the extreme numbers survive the codec") {
  launch_plan plan;
  plan.namespaces.time_offsets = {
    {-1, std::numeric_limits<std::int64_t>::min(), 0},
    {std::numeric_limits<std::int32_t>::min(),
     std::numeric_limits<std::int64_t>::max(), ~0U}};
  plan.process.rlimits = {{7, ~0ULL, 1ULL << 32, ""}, {7, 255, 256, ""}};
  plan.process.rows = 0xffff;
  const auto decoded = decode_launch_plan(encode(plan));
  REQUIRE(decoded);
  CHECK(*decoded == plan);
}

TEST_CASE("what we write is CBOR to others") {
  launch_plan plan;
  plan.id = "web-1";
  plan.process.umask = -1;
  plan.process.seccomp.program = {1, 2, 3};
  plan.rootfs.masked = {{"/proc/kcore", "/linux/maskedPaths/0"}};
  const auto document = nlohmann::json::from_cbor(encode(plan));
  CHECK(document[0] == plan_version);
  CHECK(document[1] == "web-1");
  CHECK(document[15][9] == -1);
  CHECK(document[15][14][0] == nlohmann::json::binary({1, 2, 3}));
  CHECK(document[8][9][0][1] == "/linux/maskedPaths/0");
}

TEST_CASE("a truncated plan is refused at every length") {
  check_prefixes(encode(test::maximal<launch_plan>()), decode_launch_plan);
  check_prefixes(encode(test::maximal<exec_plan>()), decode_exec_plan);
}

TEST_CASE("a plan with a byte too many is refused") {
  auto cbor = encode(launch_plan{});
  cbor.push_back(0);
  CHECK_FALSE(decode_launch_plan(cbor));
}

TEST_CASE("a plan with any byte spoilt is refused or read as another plan") {
  // Whatever a changed byte turns the plan into, reading it either fails or
  // gives a plan; nothing may crash, hang or swallow memory on the way.
  const auto whole = encode(test::maximal<exec_plan>());
  for (std::size_t at = 0; at != whole.size(); ++at)
    for (const auto flip : {0x01, 0x20, 0x80, 0xff}) {
      auto spoilt = whole;
      spoilt[at] = static_cast<std::uint8_t>(spoilt[at] ^ flip);
      const auto decoded = decode_exec_plan(spoilt);
      if (decoded && decode_exec_plan(encode(*decoded)) != decoded)
        FAIL("byte " << at << " ^ " << flip);
    }
}

TEST_CASE("absurd lengths and depths are refused without effort") {
  // An array of 2^64-1 elements, a text of 2^63 bytes, a million open arrays.
  CHECK_FALSE(decode_launch_plan(
    bytes{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  CHECK_FALSE(
    decode_launch_plan(bytes{0x90, 0x01, 0x7b, 0x80, 0, 0, 0, 0, 0, 0, 0}));
  CHECK_FALSE(decode_launch_plan(bytes(1'000'000, 0x81)));
}

TEST_CASE("a plan of another version is refused by name") {
  launch_plan plan;
  plan.version = plan_version + 1;
  const auto decoded = decode_launch_plan(encode(plan));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == fault::unsupported);
  CHECK(decoded.error().what
        == "decode plan: version " + std::to_string(plan_version + 1)
             + ", this build knows " + std::to_string(plan_version));
}

TEST_CASE("a plan of the other kind is refused") {
  CHECK_FALSE(decode_exec_plan(encode(launch_plan{})));
  CHECK_FALSE(decode_launch_plan(encode(exec_plan{})));
}

TEST_CASE("numbers that no enumerator has are refused") {
  launch_plan plan;
  plan.cgroup.mode = static_cast<cgroup_mode>(17);
  CHECK_FALSE(decode_launch_plan(encode(plan)));
  plan.cgroup.mode = cgroup_mode::none;
  plan.rootfs.mounts.emplace_back().kind = static_cast<mount_kind>(4);
  CHECK_FALSE(decode_launch_plan(encode(plan)));
}

// -- phases -------------------------------------------------------------------

TEST_CASE("every phase has a name of its own") {
  std::set<std::string_view> names;
  for (auto i = 0U; i <= static_cast<unsigned>(phase::cgroup_scope); ++i)
    names.insert(to_string(static_cast<phase>(i)));
  CHECK(names.size() == static_cast<std::size_t>(phase::cgroup_scope) + 1);
  CHECK(names.count("unknown") == 0);
  CHECK(to_string(phase::mount) == "mount");
  CHECK(to_string(phase::hook_prestart) == "hook_prestart");
  CHECK(to_string(phase::cgroup_remove) == "cgroup_remove");
  CHECK(to_string(static_cast<phase>(200)) == "unknown");
}

TEST_CASE("a failing step leads back to the line that asked for it") {
  launch_plan plan;
  plan.namespaces.joins = {{0, "", "/linux/namespaces/4"}};
  plan.cgroup.writes = {{0, "", "", "/linux/resources/memory/limit"}};
  plan.rootfs.mounts.resize(2);
  plan.rootfs.mounts[1].origin = "/mounts/0";
  plan.rootfs.devices.resize(1);
  plan.rootfs.devices[0].origin = "/linux/devices/0";
  plan.rootfs.masked = {{"", "/linux/maskedPaths/0"}};
  plan.rootfs.readonly_paths = {{"", "/linux/readonlyPaths/0"}};
  plan.sysctls = {{"", "", "/linux/sysctl/a"}};
  plan.process.rlimits = {{0, 0, 0, "/process/rlimits/0"}};
  plan.net_devices = {{"", "", "/linux/netDevices/eth1"}};
  const auto hook = [](const char* origin) {
    return std::vector<plan::hook>{{"", {}, {}, 0, origin}};
  };
  plan.hooks.prestart = hook("/hooks/prestart/0");
  plan.hooks.create_runtime = hook("/hooks/createRuntime/0");
  plan.hooks.create_container = hook("/hooks/createContainer/0");
  plan.hooks.start_container = hook("/hooks/startContainer/0");
  plan.hooks.poststart = hook("/hooks/poststart/0");
  plan.hooks.poststop = hook("/hooks/poststop/0");
  struct expectation {
    phase in;
    std::uint32_t index;
    std::string_view origin;
  };
  const expectation expected[] = {
    {phase::prepare, 0, ""},
    {phase::join_namespace, 0, "/linux/namespaces/4"},
    {phase::clone, 0, "/linux/namespaces"},
    {phase::id_map, 0, "/linux/uidMappings"},
    {phase::id_map, 1, "/linux/gidMappings"},
    {phase::cgroup_create, 0, "/linux/cgroupsPath"},
    {phase::cgroup_write, 0, "/linux/resources/memory/limit"},
    {phase::cgroup_place, 0, "/linux/cgroupsPath"},
    {phase::loopback, 0, ""},
    {phase::rootfs, 0, "/root/path"},
    {phase::mount, 0, ""},
    {phase::mount, 1, "/mounts/0"},
    {phase::device, 0, "/linux/devices/0"},
    {phase::symlink, 0, ""},
    {phase::hook_prestart, 0, "/hooks/prestart/0"},
    {phase::hook_create_runtime, 0, "/hooks/createRuntime/0"},
    {phase::hook_create_container, 0, "/hooks/createContainer/0"},
    {phase::pivot_root, 0, "/root/path"},
    {phase::masked_path, 0, "/linux/maskedPaths/0"},
    {phase::readonly_path, 0, "/linux/readonlyPaths/0"},
    {phase::readonly_root, 0, "/root/readonly"},
    {phase::hostname, 0, "/hostname"},
    {phase::hostname, 1, "/domainname"},
    {phase::sysctl, 0, "/linux/sysctl/a"},
    {phase::console, 0, "/process/terminal"},
    {phase::rlimit, 0, "/process/rlimits/0"},
    {phase::oom_score_adj, 0, "/process/oomScoreAdj"},
    {phase::hook_start_container, 0, "/hooks/startContainer/0"},
    {phase::user, 0, "/process/user"},
    {phase::capabilities, 0, "/process/capabilities"},
    {phase::seccomp, 0, "/linux/seccomp"},
    {phase::cwd, 0, "/process/cwd"},
    {phase::exec, 0, "/process/args"},
    {phase::hook_poststart, 0, "/hooks/poststart/0"},
    {phase::hook_poststop, 0, "/hooks/poststop/0"},
    {phase::cgroup_kill, 0, "/linux/cgroupsPath"},
    {phase::cgroup_remove, 0, "/linux/cgroupsPath"},
    {phase::net_device, 0, "/linux/netDevices/eth1"},
    {phase::intel_rdt, 0, "/linux/intelRdt"},
    {phase::scheduler, 0, "/process/scheduler"},
    {phase::io_priority, 0, "/process/ioPriority"},
    {phase::cpu_affinity, 0, "/process/execCPUAffinity/initial"},
    {phase::personality, 0, "/linux/personality"},
    {phase::memory_policy, 0, "/linux/memoryPolicy"},
    {phase::label, 0, "/process/apparmorProfile"},
    {phase::label, 1, "/process/selinuxLabel"},
    {phase::keyring, 0, ""},
    {phase::cgroup_scope, 0, "/linux/cgroupsPath"},
  };
  std::set<phase> seen;
  for (const auto& each : expected) {
    INFO(to_string(each.in) << " " << each.index);
    CHECK(origin_of(plan, each.in, each.index) == each.origin);
    seen.insert(each.in);
  }
  CHECK(seen.size() == static_cast<std::size_t>(phase::cgroup_scope) + 1);
}

TEST_CASE("a step that the plan does not have has no origin") {
  const launch_plan plan;
  for (auto i = 0U; i <= static_cast<unsigned>(phase::cgroup_scope); ++i)
    static_cast<void>(origin_of(plan, static_cast<phase>(i), 1'000'000));
  CHECK(origin_of(plan, phase::mount, 0).empty());
  CHECK(origin_of(plan, static_cast<phase>(200), 0).empty());
}

} // namespace troupe::plan_test
