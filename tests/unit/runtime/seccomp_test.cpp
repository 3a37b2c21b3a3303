#include "config/run_options.hpp"
#include "runtime/compile/compile.hpp"
#include "tests/support/bpf_evaluator.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <sched.h>
#include <sys/syscall.h>

namespace troupe::seccomp_test {

using namespace troupe::plan;
using test::bpf_machine;
using test::system_call;

namespace {

constexpr auto allow = SECCOMP_RET_ALLOW;
constexpr auto eperm = SECCOMP_RET_ERRNO | EPERM;

oci::seccomp profile(std::string default_action,
                     std::vector<oci::seccomp_rule> rules) {
  oci::seccomp out;
  out.default_action = std::move(default_action);
  out.syscalls = std::move(rules);
  return out;
}

oci::seccomp_rule rule(std::vector<std::string> names, std::string action,
                       std::vector<oci::seccomp_arg> args = {}) {
  return {std::move(names), std::move(action), std::nullopt, std::move(args)};
}

bpf_machine compiled(const oci::seccomp& x) {
  const auto filter = compile_seccomp(x);
  if (!filter)
    throw std::runtime_error{filter.error().what};
  return bpf_machine{filter->program};
}

std::uint32_t answer(bpf_machine& machine, int number,
                     std::array<std::uint64_t, 6> args = {}) {
  const auto got = machine.run({number, args});
  REQUIRE(got);
  return *got;
}

std::string refusal(const oci::seccomp& x) {
  const auto filter = compile_seccomp(x);
  return filter ? "" : filter.error().what;
}

} // namespace

TEST_CASE("listed system calls get their action and others the default") {
  auto machine = compiled(
    profile("SCMP_ACT_ERRNO", {rule({"read", "write"}, "SCMP_ACT_ALLOW"),
                               rule({"reboot"}, "SCMP_ACT_KILL_PROCESS")}));
  CHECK(answer(machine, SYS_read) == allow);
  CHECK(answer(machine, SYS_write) == allow);
  CHECK(answer(machine, SYS_open) == eperm);
  CHECK(answer(machine, SYS_reboot) == SECCOMP_RET_KILL_PROCESS);
}

TEST_CASE("every action has its number") {
  const std::pair<const char*, std::uint32_t> expected[] = {
    {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
    {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
    {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
    {"SCMP_ACT_ERRNO", eperm},
    {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM},
    {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
  };
  for (const auto& [word, action] : expected) {
    INFO(word);
    auto machine = compiled(profile("SCMP_ACT_ALLOW", {rule({"chmod"}, word)}));
    CHECK(answer(machine, SYS_chmod) == action);
    CHECK(answer(machine, SYS_read) == allow);
  }
}

TEST_CASE("errnoRet and defaultErrnoRet replace EPERM") {
  auto x = profile("SCMP_ACT_ERRNO", {rule({"clone3"}, "SCMP_ACT_ERRNO")});
  x.default_errno_ret = EACCES;
  x.syscalls[0].errno_ret = ENOSYS;
  auto machine = compiled(x);
  CHECK(answer(machine, SYS_clone3) == (SECCOMP_RET_ERRNO | ENOSYS));
  CHECK(answer(machine, SYS_read) == (SECCOMP_RET_ERRNO | EACCES));
}

TEST_CASE("an errno for an action without one is refused") {
  auto x = profile("SCMP_ACT_ERRNO", {rule({"read"}, "SCMP_ACT_ALLOW")});
  x.syscalls[0].errno_ret = 1;
  CHECK(refusal(x)
        == "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_ALLOW takes no "
           "errno");
  x = profile("SCMP_ACT_ALLOW", {});
  x.default_errno_ret = 1;
  CHECK(refusal(x).starts_with("/linux/seccomp/defaultErrnoRet: "));
}

TEST_CASE("every operator compares as it is named") {
  struct expectation {
    const char* op;
    std::uint64_t value;
    std::vector<std::uint64_t> match;
    std::vector<std::uint64_t> differ;
  };
  // Values on both sides of 32 bits: BPF compares the halves one by one.
  constexpr auto big = 0x1'0000'0005ULL;
  const expectation expected[] = {
    {"SCMP_CMP_NE", big, {5, 0, big + 1}, {big}},
    {"SCMP_CMP_EQ", big, {big}, {5, 0, 0x1'0000'0000ULL}},
    {"SCMP_CMP_LT", big, {0, big - 1, 0xffff'ffff}, {big, big + 1}},
    {"SCMP_CMP_LE", big, {0, big}, {big + 1, 0x2'0000'0000ULL}},
    {"SCMP_CMP_GE", big, {big, 0x2'0000'0000ULL}, {big - 1, 0xffff'ffff}},
    {"SCMP_CMP_GT", big, {big + 1, 0x2'0000'0000ULL}, {big, 0xffff'ffff}},
  };
  for (const auto& each : expected) {
    INFO(each.op);
    auto machine = compiled(profile(
      "SCMP_ACT_ERRNO",
      {rule({"lseek"}, "SCMP_ACT_ALLOW", {{1, each.value, 0, each.op}})}));
    for (const auto x : each.match)
      CHECK(answer(machine, SYS_lseek, {0, x}) == allow);
    for (const auto x : each.differ)
      CHECK(answer(machine, SYS_lseek, {0, x}) == eperm);
  }
}

TEST_CASE("MASKED_EQ keeps clone from making namespaces, as docker's profile") {
  constexpr std::uint64_t mask = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
                                 | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
                                 | CLONE_NEWCGROUP;
  auto machine = compiled(profile(
    "SCMP_ACT_ERRNO",
    {rule({"clone"}, "SCMP_ACT_ALLOW", {{0, mask, 0, "SCMP_CMP_MASKED_EQ"}})}));
  CHECK(answer(machine, SYS_clone, {CLONE_VM | CLONE_FS}) == allow);
  CHECK(answer(machine, SYS_clone, {CLONE_VM | CLONE_NEWUSER}) == eperm);
  CHECK(answer(machine, SYS_clone, {CLONE_NEWNS}) == eperm);
}

TEST_CASE("conditions on different arguments must all hold") {
  auto machine = compiled(
    profile("SCMP_ACT_ERRNO",
            {rule({"socket"}, "SCMP_ACT_ALLOW",
                  {{0, 1, 0, "SCMP_CMP_EQ"}, {1, 2, 0, "SCMP_CMP_EQ"}})}));
  CHECK(answer(machine, SYS_socket, {1, 2}) == allow);
  CHECK(answer(machine, SYS_socket, {1, 3}) == eperm);
  CHECK(answer(machine, SYS_socket, {0, 2}) == eperm);
}

TEST_CASE("of conditions on the same argument any may hold") {
  auto machine = compiled(
    profile("SCMP_ACT_ERRNO",
            {rule({"personality"}, "SCMP_ACT_ALLOW",
                  {{0, 0, 0, "SCMP_CMP_EQ"}, {0, 8, 0, "SCMP_CMP_EQ"}})}));
  CHECK(answer(machine, SYS_personality, {0}) == allow);
  CHECK(answer(machine, SYS_personality, {8}) == allow);
  CHECK(answer(machine, SYS_personality, {4}) == eperm);
}

TEST_CASE("system calls that nobody knows are passed over") {
  auto machine = compiled(profile(
    "SCMP_ACT_ERRNO", {rule({"no_such_call", "read"}, "SCMP_ACT_ALLOW")}));
  CHECK(answer(machine, SYS_read) == allow);
}

TEST_CASE("rules that repeat the default or each other change nothing") {
  auto machine = compiled(
    profile("SCMP_ACT_ERRNO",
            {rule({"open"}, "SCMP_ACT_ERRNO"), rule({"read"}, "SCMP_ACT_ALLOW"),
             rule({"read", "read"}, "SCMP_ACT_ALLOW")}));
  CHECK(answer(machine, SYS_open) == eperm);
  CHECK(answer(machine, SYS_read) == allow);
}

TEST_CASE("the native architecture is filtered, listed or not") {
  auto x = profile("SCMP_ACT_ERRNO", {rule({"read"}, "SCMP_ACT_ALLOW")});
  SECTION("listed with its relatives") {
    x.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  }
  SECTION("not listed") {
    x.architectures = {"SCMP_ARCH_X86"};
  }
  auto machine = compiled(x);
  CHECK(answer(machine, SYS_read) == allow);
  CHECK(answer(machine, SYS_open) == eperm);
  constexpr auto i386_read = 3;
  CHECK(machine.run({i386_read, {}, AUDIT_ARCH_I386}) == allow);
}

TEST_CASE("a foreign architecture is killed unless listed") {
  auto machine = compiled(
    profile("SCMP_ACT_ALLOW", {rule({"chmod"}, "SCMP_ACT_ERRNO")}));
  const auto got = machine.run({3, {}, AUDIT_ARCH_I386});
  REQUIRE(got);
  CHECK((*got == SECCOMP_RET_KILL_THREAD || *got == SECCOMP_RET_KILL_PROCESS));
}

TEST_CASE("flags become the kernel's bits") {
  auto x = profile("SCMP_ACT_ALLOW", {rule({"chmod"}, "SCMP_ACT_ERRNO")});
  x.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
             "SECCOMP_FILTER_FLAG_TSYNC"};
  const auto filter = compile_seccomp(x);
  REQUIRE(filter);
  CHECK(filter->flags
        == (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
}

TEST_CASE("a filter that notifies has a listener") {
  auto x = profile("SCMP_ACT_ALLOW", {rule({"chmod"}, "SCMP_ACT_NOTIFY")});
  x.listener_path = "/run/agent.sock";
  x.listener_metadata = "data";
  x.flags = {"SECCOMP_FILTER_FLAG_TSYNC",
             "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  const auto filter = compile_seccomp(x);
  REQUIRE(filter);
  constexpr auto wait_killable = 1U << 5;
  // Without TSYNC: the thread that hands the listener over is not filtered.
  CHECK(filter->flags == (SECCOMP_FILTER_FLAG_NEW_LISTENER | wait_killable));
  CHECK(filter->listener_path == "/run/agent.sock");
  CHECK(filter->listener_metadata == "data");
  auto machine = compiled(x);
  CHECK(machine.run({SYS_chmod, {}}) == SECCOMP_RET_USER_NOTIF);
  CHECK(machine.run({SYS_read, {}}) == allow);
  x = profile("SCMP_ACT_NOTIFY", {rule({"chmod"}, "SCMP_ACT_ALLOW")});
  x.listener_path = "/run/agent.sock";
  machine = compiled(x);
  CHECK(machine.run({SYS_chmod, {}}) == allow);
  CHECK(machine.run({SYS_read, {}}) == SECCOMP_RET_USER_NOTIF);
}

TEST_CASE(
  "without notifications there is no listener, and nothing to wait for") {
  auto x = profile("SCMP_ACT_ALLOW", {rule({"chmod"}, "SCMP_ACT_ERRNO")});
  x.listener_path = "/run/agent.sock";
  x.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  const auto filter = compile_seccomp(x);
  REQUIRE(filter);
  CHECK(filter->flags == 0);
  CHECK(filter->listener_path.empty());
}

TEST_CASE("unknown words are refused with their place") {
  auto x = profile("SCMP_ACT_PRAISE", {});
  CHECK(refusal(x).starts_with(
    "/linux/seccomp/defaultAction: found 'SCMP_ACT_PRAISE'"));
  x = profile("SCMP_ACT_ALLOW", {});
  x.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_VAX"};
  CHECK(refusal(x).starts_with(
    "/linux/seccomp/architectures/1: found 'SCMP_ARCH_VAX'"));
  x.architectures.clear();
  x.flags = {"SECCOMP_FILTER_FLAG_HOPE"};
  CHECK(refusal(x).starts_with("/linux/seccomp/flags/0: found "));
  x = profile("SCMP_ACT_ALLOW",
              {rule({"read"}, "SCMP_ACT_ERRNO", {{0, 0, 0, "SCMP_CMP_ODD"}})});
  CHECK(refusal(x).starts_with(
    "/linux/seccomp/syscalls/0/args/0/op: found 'SCMP_CMP_ODD'"));
  x = profile("SCMP_ACT_ALLOW",
              {rule({"read"}, "SCMP_ACT_ERRNO", {{6, 0, 0, "SCMP_CMP_EQ"}})});
  CHECK(refusal(x).starts_with("/linux/seccomp/syscalls/0/args/0/index: "));
}

TEST_CASE("a filter longer than the kernel takes is refused") {
  auto x = profile("SCMP_ACT_ERRNO", {});
  for (std::uint64_t value = 0; value != 1200; ++value)
    x.syscalls.push_back(rule({"lseek"}, "SCMP_ACT_ALLOW",
                              {{1, value << 32U | value, 0, "SCMP_CMP_EQ"}}));
  CHECK(refusal(x).find("instructions, the kernel takes 4096")
        != std::string::npos);
}

TEST_CASE("a listener that nothing notifies is ignored, as the spec says") {
  auto x = profile("SCMP_ACT_ALLOW", {rule({"chmod"}, "SCMP_ACT_ERRNO")});
  x.listener_path = "/run/agent.sock";
  CHECK(compile_seccomp(x));
}

TEST_CASE("a profile of many calls decides each one right") {
  oci::seccomp_rule many;
  many.action = "SCMP_ACT_ALLOW";
  const std::pair<const char*, int> calls[] = {
    {"read", SYS_read},       {"write", SYS_write},   {"open", SYS_open},
    {"close", SYS_close},     {"stat", SYS_stat},     {"fstat", SYS_fstat},
    {"lstat", SYS_lstat},     {"poll", SYS_poll},     {"lseek", SYS_lseek},
    {"mmap", SYS_mmap},       {"brk", SYS_brk},       {"ioctl", SYS_ioctl},
    {"pread64", SYS_pread64}, {"access", SYS_access}, {"pipe", SYS_pipe},
    {"dup", SYS_dup},         {"getpid", SYS_getpid}, {"socket", SYS_socket},
    {"fork", SYS_fork},       {"execve", SYS_execve}, {"kill", SYS_kill},
    {"uname", SYS_uname},     {"fcntl", SYS_fcntl},   {"flock", SYS_flock},
  };
  for (const auto& [name, number] : calls)
    many.names.emplace_back(name);
  auto machine = compiled(profile("SCMP_ACT_ERRNO", {many}));
  for (const auto& [name, number] : calls) {
    INFO(name);
    CHECK(answer(machine, number) == allow);
  }
  CHECK(answer(machine, SYS_ptrace) == eperm);
}

TEST_CASE("the same profile gives the same filter, again and again") {
  auto x = profile("SCMP_ACT_ERRNO", {rule({"read"}, "SCMP_ACT_ALLOW")});
  const auto first = compile_seccomp(x);
  // More profiles than are kept, so that the first must be compiled anew.
  for (auto i = 0U; i != 100; ++i) {
    x.default_errno_ret = i;
    auto machine = compiled(x);
    CHECK(answer(machine, SYS_open) == (SECCOMP_RET_ERRNO | i));
  }
  x.default_errno_ret.reset();
  CHECK(compile_seccomp(x) == first);
}

TEST_CASE("the default profile lets programs run and keeps the host's doors "
          "shut") {
  const auto spec = default_spec("/images/a");
  REQUIRE(spec.linux_.seccomp);
  auto machine = compiled(*spec.linux_.seccomp);
  for (const auto number : {SYS_read, SYS_execve, SYS_futex, SYS_openat2})
    CHECK(answer(machine, static_cast<int>(number)) == allow);
  CHECK(answer(machine, SYS_clone, {CLONE_VM}) == allow);
  CHECK(answer(machine, SYS_clone, {CLONE_NEWUSER}) == eperm);
  // ENOSYS makes libc fall back to clone, whose flags a filter can see.
  CHECK(answer(machine, SYS_clone3) == (SECCOMP_RET_ERRNO | ENOSYS));
  for (const auto number : {SYS_reboot, SYS_kexec_load, SYS_init_module})
    CHECK(answer(machine, static_cast<int>(number)) == eperm);
}

} // namespace troupe::seccomp_test
