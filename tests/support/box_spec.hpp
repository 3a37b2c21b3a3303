#pragma once

#include "config/oci/parse.hpp"
#include "runtime/compile/compile.hpp"
#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

#include <functional>
#include <stdexcept>

/// Containers from an OCI spec, through validate and compile, to the kernel.
namespace troupe::test {

/// What default_plan() is, as a spec: a shell that runs `script`.
inline oci::spec box_spec(const std::string& script) {
  using kind = oci::namespace_kind;
  oci::spec out;
  out.oci_version = "1.3.0";
  out.root = oci::root{"rootfs", false};
  for (const auto each :
       {kind::pid, kind::network, kind::mount, kind::ipc, kind::uts})
    out.linux_.namespaces.push_back({each, ""});
  out.mounts = {
    {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}, {}, {}},
    {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}}};
  auto& process = out.process.emplace();
  process.args = {"sh", "-c", script};
  process.env = {"PATH=/bin"};
  process.cwd = "/";
  return out;
}

inline oci::mount bound(std::string source, std::string destination,
                        std::vector<std::string> options) {
  return {std::move(destination), "bind", std::move(source),
          std::move(options),     {},     {}};
}

/// A host without cgroups: these tests are about other things.
inline result<plan::launch_plan>
planned_or_not(const oci::spec& spec, const busybox_rootfs& fs,
               const plan::host_facts& host = {}) {
  TROUPE_CHECK(oci::validate(spec));
  return plan::compile(spec, host, fs.bundle().substr(5), fs.bundle());
}

inline plan::launch_plan planned(const oci::spec& spec,
                                 const busybox_rootfs& fs,
                                 const plan::host_facts& host = {}) {
  auto out = planned_or_not(spec, fs, host);
  if (!out)
    FAIL(out.error().what);
  return *std::move(out);
}

/// What is done in the launcher's process before it launches: there it is the
/// host's side, and gone with it.
using preparation = std::function<void()>;

inline launched create_after(const preparation& prepare,
                             const plan::launch_plan& plan) {
  return launched{[&](const launch::lines& with) {
    prepare();
    return launch::run_create(plan, with);
  }};
}

inline ran run_after(const preparation& prepare,
                     const plan::launch_plan& plan) {
  launched box{[&](const launch::lines& with) {
    prepare();
    return launch::run_create(plan, with);
  }};
  if (box.failed())
    FAIL(launch::to_failure(*box.failed(), &plan).what);
  if (const auto why = box.start())
    FAIL(launch::to_failure(*why, &plan).what);
  const auto status = box.wait();
  return {status, box.output()};
}

inline ran run_spec(const oci::spec& spec, const busybox_rootfs& fs) {
  return run(planned(spec, fs));
}

/// Why a container is not created; nothing of it may be left.
inline failure refused_after(const preparation& prepare,
                             const plan::launch_plan& plan) {
  const host_traces before;
  auto box = create_after(prepare, plan);
  REQUIRE(box.failed());
  CHECK_FALSE(box.created());
  if (box.pidfd() >= 0)
    CHECK(box.wait().shell_code() != 0);
  CHECK(before == host_traces{});
  return launch::to_failure(*box.failed(), &plan);
}

/// In a preparation: ends the process, and so the test, if a step fails.
inline void must(bool done) {
  if (!done)
    ::_exit(99);
}

/// In a preparation: a mount namespace of its own, out of which nothing leads.
inline void own_mounts() {
  must(::unshare(CLONE_NEWNS) == 0);
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
}

inline void mount_tmpfs(const std::string& on, unsigned long flags = 0) {
  must(::mount("tmpfs", on.c_str(), "tmpfs", flags, "mode=755") == 0);
}

} // namespace troupe::test
