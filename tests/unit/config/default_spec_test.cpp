#include "config/default_seccomp.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace troupe::default_spec_test {

namespace {

oci::spec applied(const run_options& options) {
  auto spec = default_spec("/rootfs");
  const auto done = apply(options, spec);
  CAPTURE(done ? "" : done.error().what);
  REQUIRE(done);
  return spec;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool has(const oci::spec& spec, oci::namespace_kind kind) {
  return std::ranges::find(spec.linux_.namespaces, kind,
                           &oci::namespace_entry::kind)
         != spec.linux_.namespaces.end();
}

/// The first rule for `call`, as the profile's reader meets it.
const oci::seccomp_rule* rule_for(const oci::seccomp& profile,
                                  std::string_view call) {
  for (const auto& rule : profile.syscalls)
    if (has(rule.names, call))
      return &rule;
  return nullptr;
}

} // namespace

// -- the default spec ---------------------------------------------------------

TEST_CASE("the default spec is valid once it has a command") {
  run_options options;
  CHECK(oci::validate(applied(options)).error().what
        == "/process/args: expected at least one entry, found none");
  options.args = {"true"};
  const auto spec = applied(options);
  CHECK(oci::validate(spec));
  CHECK(oci::parse(oci::to_json(spec)).value() == spec);
}

TEST_CASE("the default spec isolates all but users and time") {
  const auto spec = default_spec("/rootfs");
  using enum oci::namespace_kind;
  for (const auto kind : {pid, network, mount, ipc, uts, cgroup})
    CHECK(has(spec, kind));
  CHECK_FALSE(has(spec, user));
  CHECK(spec.root->path == "/rootfs");
  CHECK_FALSE(spec.process->no_new_privileges);
  CHECK(spec.process->capabilities->bounding.size() == 14);
  CHECK(spec.process->capabilities->ambient.empty());
  CHECK_FALSE(has(spec.process->capabilities->bounding, "CAP_SYS_ADMIN"));
}

TEST_CASE("the default spec denies all devices first") {
  const auto rules = default_spec("/").linux_.resources->devices;
  REQUIRE_FALSE(rules.empty());
  CHECK(rules.front()
        == oci::device_rule{false, "a", std::nullopt, std::nullopt, "rwm"});
  for (std::size_t i = 1; i < rules.size(); ++i)
    CHECK(rules[i].allow);
}

// -- the default seccomp profile ----------------------------------------------

TEST_CASE("the default seccomp profile names no call twice") {
  const auto profile = default_seccomp({});
  std::set<std::string> seen;
  for (const auto& rule : profile.syscalls)
    for (const auto& name : rule.names)
      if (rule.args.empty()) {
        CAPTURE(name);
        CHECK(seen.insert(name).second);
      }
  CHECK(seen.size() > 300);
}

TEST_CASE("the default seccomp profile refuses the ways into the kernel") {
  const auto profile = default_seccomp(
    default_spec("/").process->capabilities->bounding);
  CHECK(profile.default_action == "SCMP_ACT_ERRNO");
  CHECK(profile.default_errno_ret == 1);
  for (const auto* call : {"mount",
                           "umount2",
                           "unshare",
                           "setns",
                           "bpf",
                           "perf_event_open",
                           "kexec_load",
                           "init_module",
                           "keyctl",
                           "add_key",
                           "userfaultfd",
                           "io_uring_setup",
                           "open_by_handle_at",
                           "reboot",
                           "swapon",
                           "move_pages",
                           "ioperm",
                           "settimeofday",
                           "syslog",
                           "quotactl",
                           "acct",
                           "nfsservctl",
                           "open_tree",
                           "fsopen",
                           "move_mount"}) {
    CAPTURE(call);
    CHECK_FALSE(rule_for(profile, call));
  }
  for (const auto* call : {"read", "execve", "futex", "openat2", "ptrace",
                           "chroot", "close_range", "fchmodat2", "mseal"}) {
    CAPTURE(call);
    REQUIRE(rule_for(profile, call));
    CHECK(rule_for(profile, call)->action == "SCMP_ACT_ALLOW");
  }
}

TEST_CASE("the default seccomp profile lets clone make no namespaces") {
  const auto profile = default_seccomp({});
  const auto* clone = rule_for(profile, "clone");
  REQUIRE(clone);
  REQUIRE(clone->args.size() == 1);
  CHECK(clone->args[0]
        == oci::seccomp_arg{0, 0x7e020000, 0, "SCMP_CMP_MASKED_EQ"});
  const auto* clone3 = rule_for(profile, "clone3");
  REQUIRE(clone3);
  CHECK(clone3->names == std::vector<std::string>{"clone3"});
  CHECK(clone3->action == "SCMP_ACT_ERRNO");
  CHECK(clone3->errno_ret == 38);
}

TEST_CASE("a capability opens the calls that are its own") {
  CHECK(rule_for(default_seccomp({"CAP_SYS_ADMIN"}), "mount"));
  CHECK(rule_for(default_seccomp({"CAP_SYS_ADMIN"}), "clone3")->action
        == "SCMP_ACT_ALLOW");
  CHECK(rule_for(default_seccomp({"CAP_SYS_TIME"}), "settimeofday"));
  CHECK_FALSE(rule_for(default_seccomp({"CAP_SYS_TIME"}), "mount"));
  CHECK(rule_for(applied({.cap_add = {"SYS_ADMIN"}}).linux_.seccomp.value(),
                 "mount"));
  CHECK_FALSE(
    rule_for(applied({.cap_drop = {"ALL"}}).linux_.seccomp.value(), "chroot"));
}

TEST_CASE("a profile of the bundle's own is left alone") {
  auto spec = default_spec("/rootfs");
  spec.linux_.seccomp->default_action = "SCMP_ACT_LOG";
  const auto before = spec.linux_.seccomp;
  REQUIRE(apply({.cap_add = {"ALL"}}, spec));
  CHECK(spec.linux_.seccomp == before);
}

} // namespace troupe::default_spec_test
