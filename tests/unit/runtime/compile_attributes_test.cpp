#include "tests/support/compiled.hpp"

#include <catch2/catch.hpp>

#include <sched.h>

namespace troupe::compile_attributes_test {

using namespace troupe::plan;
using test::base;
using test::compiled;
using test::refusal;

namespace {

using numbers = std::vector<std::uint32_t>;

process_attributes attributes(const oci::spec& spec) {
  return compiled(spec).process.attributes;
}

plan::scheduler scheduled(const oci::scheduler& how) {
  auto spec = base();
  spec.process->scheduler = how;
  return attributes(spec).scheduler;
}

/// A session in the container of `base()`.
result<exec_plan> session(const oci::process& process,
                          const oci::spec& container = base(),
                          const host_facts& host = test::plain_host()) {
  return compile_exec(process, compiled(container, host), host, "s");
}

oci::process command() {
  return *base().process;
}

host_facts confined_host() {
  auto out = test::plain_host();
  out.apparmor = true;
  out.selinux = true;
  return out;
}

} // namespace

TEST_CASE("a process without attributes changes none but its keyring") {
  auto expected = process_attributes{};
  expected.keyring = "_ses.web-1";
  CHECK(attributes(base()) == expected);
}

TEST_CASE("every scheduling policy has its number") {
  const std::pair<const char*, std::uint32_t> expected[] = {
    {"SCHED_OTHER", SCHED_OTHER}, {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_RR", SCHED_RR},       {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_IDLE", SCHED_IDLE},   {"SCHED_DEADLINE", 6}};
  for (const auto& [word, number] : expected) {
    auto how = oci::scheduler{};
    how.policy = word;
    CHECK(scheduled(how).set);
    CHECK(scheduled(how).policy == number);
  }
}

TEST_CASE("what a scheduler leaves open is 0, as the spec says") {
  auto how = oci::scheduler{};
  how.policy = "SCHED_OTHER";
  auto expected = plan::scheduler{};
  expected.set = true;
  CHECK(scheduled(how) == expected);
}

TEST_CASE("a scheduler is taken over whole") {
  auto how = oci::scheduler{};
  how.policy = "SCHED_DEADLINE";
  how.nice = -5;
  how.flags = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX"};
  how.runtime = 10'000;
  how.deadline = 20'000;
  how.period = 30'000;
  CHECK(scheduled(how)
        == plan::scheduler{true, 6, -5, 0, 0x41, 10'000, 20'000, 30'000});
}

TEST_CASE("a policy that Linux only reserves is refused") {
  auto spec = base();
  spec.process->scheduler.emplace().policy = "SCHED_ISO";
  const auto why = refusal(spec);
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/process/scheduler/policy: SCHED_ISO"));
}

TEST_CASE("an I/O priority is its class and level in one number") {
  auto spec = base();
  CHECK(attributes(spec).io_priority == -1);
  spec.process->io_priority = {"IOPRIO_CLASS_RT", 0};
  CHECK(attributes(spec).io_priority == 1 << 13);
  spec.process->io_priority = {"IOPRIO_CLASS_BE", 7};
  CHECK(attributes(spec).io_priority == (2 << 13 | 7));
  spec.process->io_priority = {"IOPRIO_CLASS_IDLE", 4};
  CHECK(attributes(spec).io_priority == (3 << 13 | 4));
}

TEST_CASE("CPUs are a session's matter, not init's") {
  auto spec = base();
  spec.process->exec_cpu_affinity = {"0-3,7", "0"};
  CHECK(attributes(spec).initial_cpus.empty());
  CHECK(attributes(spec).final_cpus.empty());
  auto process = command();
  process.exec_cpu_affinity = {"0-3,7,2", "0-7:1/4"};
  const auto plan = session(process);
  REQUIRE(plan);
  CHECK(plan->process.attributes.initial_cpus == numbers{0, 1, 2, 3, 7});
  CHECK(plan->process.attributes.final_cpus == numbers{0, 4});
}

TEST_CASE("a list of CPUs that no machine has is refused with its place") {
  for (const auto* list : {"8192", "0-4294967295", "0-8192", "3-1", "1-2:3",
                           "1,,2", "x", "4294967296"}) {
    CAPTURE(list);
    auto process = command();
    process.exec_cpu_affinity = {"", list};
    const auto plan = session(process);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().what.starts_with("/execCPUAffinity/final: "));
  }
}

TEST_CASE("the personality is the container's, and its sessions'") {
  auto spec = base();
  spec.linux_.personality = {"LINUX", {}};
  CHECK(attributes(spec).set_personality);
  CHECK(attributes(spec).personality == 0);
  spec.linux_.personality = {"LINUX32", {}};
  CHECK(attributes(spec).personality == 8);
  const auto plan = session(command(), spec);
  REQUIRE(plan);
  CHECK(plan->process.attributes.set_personality);
  CHECK(plan->process.attributes.personality == 8);
}

TEST_CASE("a memory policy is mode, flags and nodes") {
  auto spec = base();
  const std::pair<const char*, std::uint32_t> modes[] = {
    {"MPOL_DEFAULT", 0},
    {"MPOL_PREFERRED", 1},
    {"MPOL_BIND", 2},
    {"MPOL_INTERLEAVE", 3},
    {"MPOL_LOCAL", 4},
    {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_WEIGHTED_INTERLEAVE", 6}};
  for (const auto& [word, number] : modes) {
    spec.linux_.memory_policy = {word, "", {}};
    CHECK(attributes(spec).memory_policy == memory_policy{true, number, {}});
  }
  spec.linux_.memory_policy = {
    "MPOL_BIND", "0-1,3", {"MPOL_F_NUMA_BALANCING", "MPOL_F_STATIC_NODES"}};
  const auto expected = memory_policy{true, 2 | 1U << 13 | 1U << 15, {0, 1, 3}};
  CHECK(attributes(spec).memory_policy == expected);
  const auto plan = session(command(), spec);
  REQUIRE(plan);
  CHECK(plan->process.attributes.memory_policy == expected);
  spec.linux_.memory_policy->nodes = "1024";
  CHECK(refusal(spec).what.starts_with("/linux/memoryPolicy/nodes: "));
}

TEST_CASE("a memory policy is refused where the kernel has none") {
  auto spec = base();
  spec.linux_.memory_policy = {"MPOL_LOCAL", "", {}};
  auto host = test::plain_host();
  host.memory_policy = false;
  const auto why = refusal(spec, host);
  CHECK(why.code == fault::unsupported);
  CHECK(why.what.starts_with("/linux/memoryPolicy: "));
}

TEST_CASE("labels go to the security module that the host has") {
  auto spec = base();
  spec.process->apparmor_profile = "docker-default";
  spec.process->selinux_label = "a:b:c:s0";
  const auto plan = compiled(spec, confined_host());
  CHECK(plan.process.attributes.apparmor_profile == "docker-default");
  CHECK(plan.process.attributes.selinux_label == "a:b:c:s0");
}

TEST_CASE("unconfined is what every process is without AppArmor") {
  auto spec = base();
  spec.process->apparmor_profile = "unconfined";
  CHECK(attributes(spec).apparmor_profile.empty());
  CHECK(compiled(spec, confined_host()).process.attributes.apparmor_profile
        == "unconfined");
}

TEST_CASE("a session is confined as its container unless it says otherwise") {
  auto spec = base();
  spec.process->apparmor_profile = "outer";
  spec.process->selinux_label = "outer:l";
  auto process = command();
  auto plan = session(process, spec, confined_host());
  REQUIRE(plan);
  CHECK(plan->process.attributes.apparmor_profile == "outer");
  CHECK(plan->process.attributes.selinux_label == "outer:l");
  process.apparmor_profile = "inner";
  process.selinux_label = "inner:l";
  plan = session(process, spec, confined_host());
  REQUIRE(plan);
  CHECK(plan->process.attributes.apparmor_profile == "inner");
  CHECK(plan->process.attributes.selinux_label == "inner:l");
  process.apparmor_profile = "x";
  process.selinux_label.clear();
  const auto why = session(process);
  REQUIRE_FALSE(why);
  CHECK(why.error().what == "/apparmorProfile: this host has no AppArmor");
}

TEST_CASE("a session knows what a seccomp listener is told of its container") {
  auto spec = base();
  spec.annotations = {{"a", "1"}, {"b", "2"}};
  const auto plan = session(command(), spec);
  REQUIRE(plan);
  CHECK(plan->bundle == "/srv/bundle");
  CHECK(plan->oci_version == "1.2.0");
  CHECK(plan->annotation_keys == std::vector<std::string>{"a", "b"});
  CHECK(plan->annotation_values == std::vector<std::string>{"1", "2"});
  CHECK(plan->process.attributes.keyring == "_ses.web-1");
}

} // namespace troupe::compile_attributes_test
