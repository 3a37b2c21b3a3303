#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

namespace troupe::compile_process_test {

using namespace troupe::plan;
using kind = oci::namespace_kind;
using test::base;
using test::compiled;
using test::refusal;

namespace {

constexpr auto cap_kill = 1ULL << CAP_KILL;
constexpr auto cap_sys_resource = 1ULL << CAP_SYS_RESOURCE;

} // namespace

// -- the process --------------------------------------------------------------

TEST_CASE("the process is taken over as it is asked for") {
  auto spec = base();
  auto& process = *spec.process;
  process.args = {"sh", "-c", "true"};
  process.env = {"A=1"};
  process.cwd = "/srv";
  process.user = {1000, 1001, 0077, {5, 6}};
  process.oom_score_adj = -17;
  process.no_new_privileges = true;
  const auto x = compiled(spec).process;
  CHECK(x.args == process.args);
  CHECK(x.env == process.env);
  CHECK(x.cwd == "/srv");
  CHECK(x.uid == 1000);
  CHECK(x.gid == 1001);
  CHECK(x.groups == std::vector<std::uint32_t>{5, 6});
  CHECK(x.umask == 0077);
  CHECK(x.oom_score_adj == "-17");
  CHECK(x.no_new_privileges);
}

TEST_CASE("what a process leaves open is left alone") {
  const auto x = compiled(base()).process;
  CHECK(x.umask == 022);
  CHECK(x.oom_score_adj.empty());
  CHECK_FALSE(x.capabilities.set);
  CHECK_FALSE(x.terminal);
  CHECK(x.seccomp.program.empty());
}

TEST_CASE("the console's size counts only with a terminal") {
  auto spec = base();
  spec.process->console_size = oci::console_size{24, 80};
  CHECK(compiled(spec).process.rows == 0);
  spec.process->terminal = true;
  const auto x = compiled(spec).process;
  CHECK(x.terminal);
  CHECK(x.rows == 24);
  CHECK(x.cols == 80);
}

TEST_CASE("rlimits become numbers") {
  auto spec = base();
  spec.process->rlimits = {{"RLIMIT_NOFILE", 1, 2}, {"RLIMIT_CORE", 0, ~0ULL}};
  CHECK(compiled(spec).process.rlimits
        == std::vector<plan::rlimit>{
          {RLIMIT_NOFILE, 1, 2, "/process/rlimits/0"},
          {RLIMIT_CORE, 0, RLIM_INFINITY, "/process/rlimits/1"}});
  spec.process->rlimits = {{"RLIMIT_HOPE", 1, 2}};
  CHECK(refusal(spec).what.starts_with(
    "/process/rlimits/0/type: found 'RLIMIT_HOPE'"));
}

TEST_CASE("capabilities become masks") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_CHECKPOINT_RESTORE"};
  spec.process->capabilities = oci::capabilities{
    {"CAP_KILL"}, two, two, two, {two[1]}};
  const auto plan = compiled(spec);
  const auto& x = plan.process.capabilities;
  CHECK(x.set);
  CHECK(x.effective == cap_kill);
  CHECK(x.bounding == (cap_kill | 1ULL << 40));
  CHECK(x.inheritable == x.bounding);
  CHECK(x.permitted == x.bounding);
  CHECK(x.ambient == 1ULL << 40);
  CHECK(plan.warnings.empty());
}

TEST_CASE("capabilities that cannot be granted are dropped with a warning") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_SYS_RESOURCE"};
  spec.process->capabilities = oci::capabilities{
    two, two, {}, {"CAP_KILL", "CAP_FLY"}, {}};
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.process.capabilities.effective == cap_kill);
  CHECK(plan.process.capabilities.bounding == cap_kill);
  CHECK(plan.process.capabilities.permitted == cap_kill);
  CHECK(plan.warnings
        == std::vector<std::string>{
          "/process/capabilities: 'CAP_SYS_RESOURCE' cannot be granted on "
          "this host, dropped",
          "/process/capabilities: 'CAP_FLY' is unknown, dropped"});
}

TEST_CASE("sets that contradict each other shrink to what capset takes") {
  auto spec = base();
  const std::vector<std::string> kill{"CAP_KILL"};
  SECTION("effective without permitted") {
    spec.process->capabilities = oci::capabilities{kill, kill, {}, {}, {}};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.effective == 0);
    CHECK(plan.warnings
          == std::vector<std::string>{"/process/capabilities/effective: "
                                      "'CAP_KILL' is not in permitted, "
                                      "dropped"});
  }
  SECTION("inheritable without bounding") {
    spec.process->capabilities = oci::capabilities{{}, {}, kill, {}, {}};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.inheritable == 0);
    CHECK(plan.warnings.size() == 1);
  }
  SECTION("ambient without inheritable") {
    spec.process->capabilities = oci::capabilities{kill, kill, {}, kill, kill};
    const auto plan = compiled(spec);
    CHECK(plan.process.capabilities.ambient == 0);
    CHECK(plan.warnings.size() == 1);
  }
}

TEST_CASE("a capability newer than the kernel is dropped") {
  auto spec = base();
  const std::vector<std::string> two{"CAP_KILL", "CAP_BPF"};
  spec.process->capabilities = oci::capabilities{two, two, {}, two, {}};
  auto host = test::plain_host();
  host.last_capability = CAP_BPF - 1;
  const auto plan = compiled(spec, host);
  CHECK(plan.process.capabilities.effective == cap_kill);
  CHECK(plan.warnings.size() == 1);
}

TEST_CASE("an own user namespace grants what the host does not") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::user, ""});
  spec.process->capabilities = oci::capabilities{
    {"CAP_SYS_RESOURCE"}, {}, {}, {"CAP_SYS_RESOURCE"}, {}};
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.process.capabilities.effective == cap_sys_resource);
  CHECK(plan.warnings.empty());
}

TEST_CASE("a profile becomes the process's filter") {
  auto spec = base();
  auto& profile = spec.linux_.seccomp.emplace();
  profile.default_action = "SCMP_ACT_ALLOW";
  profile.syscalls = {{{"reboot"}, "SCMP_ACT_ERRNO", {}, {}}};
  CHECK(compiled(spec).process.seccomp == *compile_seccomp(profile));
  profile.syscalls[0].action = "SCMP_ACT_HOPE";
  CHECK(refusal(spec).code == fault::invalid_config);
}

TEST_CASE("sysctls know their line, slashes and all") {
  auto spec = base();
  spec.linux_.sysctl = {{"net/core/somaxconn", "1"}, {"kernel.x~y", "2"}};
  CHECK(compiled(spec).sysctls
        == std::vector<sysctl>{
          {"kernel.x~y", "2", "/linux/sysctl/kernel.x~0y"},
          {"net/core/somaxconn", "1", "/linux/sysctl/net~1core~1somaxconn"}});
}

TEST_CASE("hooks of six kinds keep their order and place") {
  auto spec = base();
  spec.hooks.prestart = {{"/1", {"one"}, {"A=1"}, 7}, {"/2", {}, {}, {}}};
  spec.hooks.create_runtime = {{"/3", {}, {}, {}}};
  spec.hooks.create_container = {{"/4", {}, {}, {}}};
  spec.hooks.start_container = {{"/5", {}, {}, {}}};
  spec.hooks.poststart = {{"/6", {}, {}, {}}};
  spec.hooks.poststop = {{"/7", {}, {}, {}}};
  const auto x = compiled(spec).hooks;
  CHECK(x.prestart
        == std::vector<hook>{{"/1", {"one"}, {"A=1"}, 7, "/hooks/prestart/0"},
                             {"/2", {}, {}, 0, "/hooks/prestart/1"}});
  CHECK(x.create_runtime.at(0).origin == "/hooks/createRuntime/0");
  CHECK(x.create_container.at(0).origin == "/hooks/createContainer/0");
  CHECK(x.start_container.at(0).origin == "/hooks/startContainer/0");
  CHECK(x.poststart.at(0).origin == "/hooks/poststart/0");
  CHECK(x.poststop.at(0).origin == "/hooks/poststop/0");
}

} // namespace troupe::compile_process_test
