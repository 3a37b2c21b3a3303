#include "runtime/compile/compile.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

#include <csignal>

namespace troupe::launch_seccomp_test {

namespace {

plan::seccomp_filter compiled(const oci::seccomp& profile) {
  const auto out = plan::compile_seccomp(profile);
  if (!out)
    FAIL(out.error().what);
  return *out;
}

/// Everything is allowed but mkdir, which gets `action`.
oci::seccomp against_mkdir(const std::string& action,
                           std::optional<std::uint32_t> errno_ret = {}) {
  oci::seccomp out;
  out.default_action = "SCMP_ACT_ALLOW";
  out.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  out.syscalls = {{{"mkdir", "mkdirat"}, action, errno_ret, {}}};
  return out;
}

/// Runs `busybox mkdir /tmp/made` as the container's program, with and without
/// no_new_privs: the filter is then loaded at another place.
test::ran run_mkdir(const oci::seccomp& profile, bool no_new_privileges) {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"mkdir", "/tmp/made"});
  plan.process.no_new_privileges = no_new_privileges;
  plan.process.seccomp = compiled(profile);
  auto out = test::run(plan);
  CHECK(std::filesystem::exists(fs.root() / "tmp/made")
        == (out.status.code == 0 && out.status.signal == 0));
  return out;
}

} // namespace

TEST_CASE("every seccomp action does what it says to a real process") {
  struct row {
    const char* action;
    std::optional<std::uint32_t> errno_ret;
    int signal;
    const char* output;
  };
  constexpr auto* none = "";
  const auto [action, errno_ret, signal, output] = GENERATE_COPY(values<row>({
    {"SCMP_ACT_ALLOW", {}, 0, none},
    {"SCMP_ACT_LOG", {}, 0, none},
    {"SCMP_ACT_KILL", {}, SIGSYS, none},
    {"SCMP_ACT_KILL_THREAD", {}, SIGSYS, none},
    {"SCMP_ACT_KILL_PROCESS", {}, SIGSYS, none},
    {"SCMP_ACT_TRAP", {}, SIGSYS, none},
    {"SCMP_ACT_ERRNO",
     {},
     0,
     "mkdir: can't create directory '/tmp/made': Operation not permitted\n"},
    {"SCMP_ACT_ERRNO", EXDEV, 0,
     "mkdir: can't create directory '/tmp/made': Invalid cross-device "
     "link\n"},
    // No tracer: seccomp(2) says ENOSYS.
    {"SCMP_ACT_TRACE", 7, 0,
     "mkdir: can't create directory '/tmp/made': Function not "
     "implemented\n"},
  }));
  const auto no_new_privileges = GENERATE(false, true);
  CAPTURE(action, no_new_privileges);
  const auto ran = run_mkdir(against_mkdir(action, errno_ret),
                             no_new_privileges);
  CHECK(ran.status.signal == signal);
  CHECK(ran.output == output);
  CHECK(ran.status.code == (*output == 0 ? 0 : 1));
}

TEST_CASE("argument operators choose among real calls") {
  struct row {
    const char* op;
    std::uint64_t value;
    std::uint64_t value_two;
    bool hit; ///< Of mkdir's mode 0700 = 448.
  };
  const auto [op, value, value_two, hit] = GENERATE(values<row>({
    {"SCMP_CMP_EQ", 448, 0, true},
    {"SCMP_CMP_EQ", 449, 0, false},
    {"SCMP_CMP_NE", 449, 0, true},
    {"SCMP_CMP_NE", 448, 0, false},
    {"SCMP_CMP_LT", 449, 0, true},
    {"SCMP_CMP_LT", 448, 0, false},
    {"SCMP_CMP_LE", 448, 0, true},
    {"SCMP_CMP_LE", 447, 0, false},
    {"SCMP_CMP_GE", 448, 0, true},
    {"SCMP_CMP_GE", 449, 0, false},
    {"SCMP_CMP_GT", 447, 0, true},
    {"SCMP_CMP_GT", 448, 0, false},
    {"SCMP_CMP_MASKED_EQ", 0700, 0700, true},
    {"SCMP_CMP_MASKED_EQ", 0700, 0500, false},
  }));
  CAPTURE(op, value);
  auto profile = against_mkdir("SCMP_ACT_ERRNO");
  profile.syscalls[0].names = {"chmod", "fchmodat"};
  profile.syscalls[0].args = {{2, value, value_two, op}};
  auto by_path = profile.syscalls[0]; // chmod(2) has the mode in its place 1
  by_path.names = {"chmod"};
  by_path.args[0].index = 1;
  profile.syscalls[0].names = {"fchmodat"};
  profile.syscalls.push_back(by_path);
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"chmod", "0700", "/tmp"});
  plan.process.seccomp = compiled(profile);
  CHECK(test::run(plan).status.code == (hit ? 1 : 0));
}

TEST_CASE("filter flags are taken by the kernel") {
  const auto* flag = GENERATE(
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
  CAPTURE(flag);
  auto profile = against_mkdir("SCMP_ACT_ERRNO");
  profile.flags = {flag};
  CHECK(run_mkdir(profile, false).status.code == 1);
}

TEST_CASE("a filter that kills what the launch itself needs is no success") {
  test::busybox_rootfs fs;
  auto plan = test::default_plan(fs, {"true"});
  auto profile = against_mkdir("SCMP_ACT_ERRNO");
  profile.syscalls[0].names = {"setresuid"};
  plan.process.seccomp = compiled(profile);
  auto box = test::create(plan);
  REQUIRE(box.created());
  const auto why = box.start();
  REQUIRE(why);
  CHECK(why->phase == plan::phase::user);
  CHECK(why->os_errno == EPERM);
}

} // namespace troupe::launch_seccomp_test
