#include "config/run_options.hpp"
#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <ctime>
#include <sched.h>

namespace troupe::compile_test {

using namespace troupe::plan;
using kind = oci::namespace_kind;
using test::base;
using test::bind;
using test::compiled;
using test::compiled_or_not;
using test::refusal;

// -- the whole ----------------------------------------------------------------

TEST_CASE("equal specs give equal plans") {
  const auto spec = base();
  CHECK(compiled(spec) == compiled(spec));
  CHECK(compiled(spec, test::hybrid_host())
        == compiled(spec, test::hybrid_host()));
}

TEST_CASE("the default container compiles and travels") {
  const auto spec = default_spec("/images/a");
  const auto plan = compiled(spec, test::hybrid_host());
  CHECK(plan.rootfs.path == "/images/a");
  CHECK(plan.rootfs.fill_dev);
  CHECK(plan.process.seccomp == *compile_seccomp(*spec.linux_.seccomp));
  CHECK(decode_launch_plan(encode(plan)) == plan);
}

TEST_CASE("id, bundle and annotations are the state document's") {
  auto spec = base();
  spec.annotations = {{"b", "2"}, {"a", "1"}};
  const auto plan = compiled(spec);
  CHECK(plan.id == "web-1");
  CHECK(plan.bundle == "/srv/bundle");
  CHECK(plan.oci_version == "1.2.0");
  CHECK(plan.annotation_keys == std::vector<std::string>{"a", "b"});
  CHECK(plan.annotation_values == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a spec without a process can be created") {
  auto spec = base();
  spec.process.reset();
  const auto plan = compiled(spec);
  CHECK(plan.process.args.empty());
}

// -- namespaces ---------------------------------------------------------------

TEST_CASE("namespaces are joined user first and mount last") {
  auto spec = base();
  spec.linux_.namespaces = {{kind::mount, "/n/mnt"},
                            {kind::network, "/n/net"},
                            {kind::pid, ""},
                            {kind::user, "/n/user"}};
  const auto plan = compiled(spec);
  const auto& joins = plan.namespaces.joins;
  REQUIRE(joins.size() == 3);
  CHECK(joins[0]
        == namespace_join{CLONE_NEWUSER, "/n/user", "/linux/namespaces/3"});
  CHECK(joins[1].flag == CLONE_NEWNET);
  CHECK(joins[2]
        == namespace_join{CLONE_NEWNS, "/n/mnt", "/linux/namespaces/0"});
  CHECK(plan.namespaces.clone_flags == CLONE_NEWPID);
}

TEST_CASE("every kind of namespace has its flag") {
  auto spec = base();
  spec.linux_.namespaces = {
    {kind::pid, ""}, {kind::network, ""}, {kind::mount, ""},  {kind::ipc, ""},
    {kind::uts, ""}, {kind::user, ""},    {kind::cgroup, ""}, {kind::time, ""}};
  CHECK(compiled(spec).namespaces.clone_flags
        == (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC
            | CLONE_NEWUTS | CLONE_NEWUSER | CLONE_NEWCGROUP | 0x80));
}

TEST_CASE("a kernel without time namespaces is told apart") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::time, ""});
  auto host = test::plain_host();
  host.time_namespaces = false;
  const auto why = refusal(spec, host);
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/namespaces/1: "));
}

TEST_CASE("clocks are shifted by number") {
  auto spec = base();
  spec.linux_.namespaces.push_back({kind::time, ""});
  spec.linux_.time_offsets = {{"monotonic", 5, 6}, {"boottime", -1, 0}};
  CHECK(compiled(spec).namespaces.time_offsets
        == std::vector<time_offset>{{CLOCK_MONOTONIC, 5, 6},
                                    {CLOCK_BOOTTIME, -1, 0}});
  spec.linux_.time_offsets = {{"sundial", 0, 0}};
  CHECK(refusal(spec).what.starts_with("/linux/timeOffsets/sundial: "));
}

TEST_CASE("ids are mapped in a new user namespace only") {
  auto spec = base();
  spec.linux_.uid_mappings = {{0, 100000, 65536}};
  spec.linux_.gid_mappings = {{0, 200000, 65536}};
  spec.linux_.namespaces.push_back({kind::user, ""});
  auto plan = compiled(spec);
  CHECK(plan.namespaces.uid_map == std::vector<id_map>{{0, 100000, 65536}});
  CHECK(plan.namespaces.gid_map == std::vector<id_map>{{0, 200000, 65536}});
  spec.linux_.namespaces.back().path = "/n/user";
  plan = compiled(spec);
  CHECK(plan.namespaces.uid_map.empty());
  CHECK(plan.namespaces.gid_map.empty());
}

TEST_CASE("lo is brought up in a new network namespace only") {
  auto spec = base();
  CHECK_FALSE(compiled(spec).loopback_up);
  spec.linux_.namespaces.push_back({kind::network, ""});
  CHECK(compiled(spec).loopback_up);
  spec.linux_.namespaces.back().path = "/n/net";
  CHECK_FALSE(compiled(spec).loopback_up);
}

// -- what is refused ----------------------------------------------------------

TEST_CASE("what cannot be honoured is refused with its place") {
  struct expectation {
    const char* pointer;
    void (*ask)(oci::spec&);
  };
  const expectation expected[] = {
    {"/process/apparmorProfile",
     [](oci::spec& x) { x.process->apparmor_profile = "docker-default"; }},
    {"/process/selinuxLabel",
     [](oci::spec& x) { x.process->selinux_label = "a:b:c:s0"; }},
    {"/process/scheduler/policy",
     [](oci::spec& x) { x.process->scheduler.emplace().policy = "SCHED_ISO"; }},
    {"/linux/mountLabel",
     [](oci::spec& x) { x.linux_.mount_label = "a:b:c:s0"; }},
    {"/linux/intelRdt", [](oci::spec& x) { x.linux_.intel_rdt.emplace(); }},
    {"/mounts/0/options",
     [](oci::spec& x) {
       x.mounts = {{"/c", "cgroup", "cgroup", {"idmap"}, {}, {}}};
     }},
  };
  for (const auto& each : expected) {
    auto spec = base();
    each.ask(spec);
    const auto why = refusal(spec);
    INFO(each.pointer << " but " << why.what);
    CHECK(why.code == fault::unsupported);
    CHECK(why.what.starts_with(std::string{each.pointer} + ": "));
  }
}

// -- exec ---------------------------------------------------------------------

namespace {

launch_plan running() {
  auto spec = base();
  spec.linux_.namespaces = {{kind::mount, ""}, {kind::network, "/n/net"}};
  spec.process->capabilities = oci::capabilities{
    {"CAP_KILL"}, {}, {}, {"CAP_KILL"}, {}};
  auto& profile = spec.linux_.seccomp.emplace();
  profile.default_action = "SCMP_ACT_ALLOW";
  profile.syscalls = {{{"reboot"}, "SCMP_ACT_ERRNO", {}, {}}};
  spec.linux_.resources.emplace().pids_limit = 8;
  return compiled(spec, test::hybrid_host());
}

oci::process command() {
  oci::process out;
  out.args = {"ps"};
  out.cwd = "/";
  return out;
}

} // namespace

TEST_CASE("an exec session enters all of the container's namespaces") {
  const auto in = running();
  const auto plan = compile_exec(command(), in, test::hybrid_host(),
                                 "session-1");
  REQUIRE(plan);
  CHECK(plan->id == "web-1");
  CHECK(plan->session == "session-1");
  CHECK(plan->namespaces == (CLONE_NEWNS | CLONE_NEWNET));
  CHECK(plan->process.args == std::vector<std::string>{"ps"});
}

TEST_CASE("an exec session enters the container's cgroups, limits untouched") {
  const auto in = running();
  REQUIRE_FALSE(in.cgroup.dirs.empty());
  REQUIRE_FALSE(in.cgroup.writes.empty());
  const auto plan = compile_exec(command(), in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->cgroup.mode == in.cgroup.mode);
  CHECK(plan->cgroup.dirs == in.cgroup.dirs);
  CHECK(plan->cgroup.writes.empty());
}

TEST_CASE("an exec session has the container's filter, and its capabilities "
          "unless told") {
  const auto in = running();
  auto process = command();
  auto plan = compile_exec(process, in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->process.seccomp == in.process.seccomp);
  CHECK_FALSE(plan->process.seccomp.program.empty());
  CHECK(plan->process.capabilities == in.process.capabilities);
  const std::vector<std::string> two{"CAP_CHOWN", "CAP_SYS_RESOURCE"};
  process.capabilities = oci::capabilities{two, two, {}, two, {}};
  plan = compile_exec(process, in, test::hybrid_host(), "s");
  REQUIRE(plan);
  CHECK(plan->process.capabilities.effective == 1ULL << CAP_CHOWN);
  CHECK(plan->warnings.size() == 1);
}

TEST_CASE("an exec session is refused what a container is refused") {
  auto process = command();
  process.selinux_label = "a:b:c:s0";
  const auto plan = compile_exec(process, running(), test::hybrid_host(), "s");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().what.starts_with("/selinuxLabel: "));
}

} // namespace troupe::compile_test
