#include "bench/floor/recipe.hpp"

#include "bench/floor/writer.hpp"

#include <array>
#include <sched.h>

namespace troupe::floor {

namespace {

struct refusal {
  bool wanted;
  const char* what;
};

/// What containers can ask for and the floor has no call for.
outcome check(const plan::launch_plan& plan) {
  const auto& process = plan.process;
  const auto& hooks = plan.hooks;
  const auto& in = plan.namespaces;
  const std::array refusals{
    refusal{plan.cgroup.mode == plan::cgroup_mode::v2, "a v2-only host"},
    refusal{!in.joins.empty(), "joined namespaces"},
    refusal{!in.uid_map.empty() || !in.gid_map.empty(), "a user namespace"},
    refusal{!in.time_offsets.empty(), "a time namespace's offsets"},
    refusal{(in.clone_flags & CLONE_NEWNS) == 0, "the host's mounts"},
    refusal{plan.rootfs.no_pivot, "no_pivot"},
    refusal{!plan.net_devices.empty(), "network devices"},
    refusal{!plan.intel_rdt.directory.empty(), "resctrl"},
    refusal{!plan.sysctls.empty(), "sysctls"},
    refusal{process.terminal, "a terminal"},
    refusal{process.args.empty(), "no program"},
    refusal{!process.seccomp.listener_path.empty(), "a seccomp listener"},
    refusal{process.attributes.scheduler.set
              || process.attributes.io_priority >= 0
              || process.attributes.set_personality
              || process.attributes.memory_policy.set
              || !process.attributes.apparmor_profile.empty()
              || !process.attributes.selinux_label.empty(),
            "scheduling, personality or labels"},
    refusal{!hooks.prestart.empty() || !hooks.create_runtime.empty()
              || !hooks.create_container.empty()
              || !hooks.start_container.empty() || !hooks.poststart.empty()
              || !hooks.poststop.empty(),
            "hooks"},
  };
  for (const auto& x : refusals)
    if (x.wanted)
      return fail(fault::unsupported,
                  std::string{"the floor does not know "} + x.what);
  return {};
}

} // namespace

result<recipe> prepare(const plan::launch_plan& plan,
                       const std::string& suffix) {
  TROUPE_CHECK(check(plan));
  recipe out;
  out.clone_flags = plan.namespaces.clone_flags
                    & ~std::uint64_t{CLONE_NEWCGROUP};
  writer write{plan, suffix, out};
  TROUPE_CHECK(write.cgroups());
  write.namespaces();
  TROUPE_CHECK(write.file_system());
  TROUPE_CHECK(write.process());
  return out;
}

const char* to_string(op what) noexcept {
  constexpr std::array names{
    "mkdir",        "rmdir",     "open",    "write",        "close",
    "setsid",       "unshare",   "lo up",   "sethostname",  "setdomainname",
    "mount",        "mknod",     "symlink", "chdir",        "pivot_root",
    "keyctl",       "prlimit",   "umask",   "CAPBSET_DROP", "AMBIENT_RAISE",
    "KEEPCAPS",     "setgroups", "setgid",  "setuid",       "capset",
    "NO_NEW_PRIVS", "seccomp",   "execve"};
  static_assert(names.size() == static_cast<std::size_t>(op::execute) + 1);
  return names[static_cast<std::size_t>(what)];
}

} // namespace troupe::floor
