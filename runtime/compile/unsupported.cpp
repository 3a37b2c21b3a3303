#include "runtime/compile/facilities.hpp"

#include <array>

// What the spec knows and the plan has no step for is refused with its place,
// never passed over: a container that silently lacks a restriction it asked
// for is worse than one that does not start.
namespace troupe::plan {

namespace {

struct asked_for {
  std::string_view pointer;
  bool present;
  std::string_view why;
};

constexpr std::string_view not_yet = "not supported yet";

template <std::size_t N>
outcome refuse_any(const std::array<asked_for, N>& places,
                   std::string_view pointer) {
  for (const auto& each : places)
    if (each.present)
      return fail(fault::unsupported, std::string{pointer}
                                        .append(each.pointer)
                                        .append(": ")
                                        .append(each.why));
  return {};
}

/// `unconfined` on a host without AppArmor is what every process is there.
bool lacks_apparmor(const std::string& profile, const host_facts& host) {
  return !host.apparmor && !profile.empty() && profile != "unconfined";
}

constexpr std::string_view no_selinux = "this host has no SELinux";

} // namespace

outcome refuse_unsupported(const oci::process& x, std::string_view pointer,
                           const host_facts& host) {
  return refuse_any(
    std::array{
      asked_for{"/apparmorProfile", lacks_apparmor(x.apparmor_profile, host),
                "this host has no AppArmor"},
      asked_for{"/selinuxLabel", !host.selinux && !x.selinux_label.empty(),
                no_selinux},
      asked_for{"/scheduler/policy",
                x.scheduler && x.scheduler->policy == "SCHED_ISO",
                "SCHED_ISO is reserved, but not implemented in Linux"},
    },
    pointer);
}

outcome refuse_unsupported(const oci::spec& spec, const host_facts& host) {
  if (spec.process)
    TROUPE_CHECK(refuse_unsupported(*spec.process, "/process", host));
  const auto& x = spec.linux_;
  return refuse_any(
    std::array{
      asked_for{"/linux/mountLabel", !host.selinux && !x.mount_label.empty(),
                no_selinux},
      asked_for{"/linux/memoryPolicy", x.memory_policy && !host.memory_policy,
                "this kernel has no NUMA policies"},
    },
    "");
}

} // namespace troupe::plan
