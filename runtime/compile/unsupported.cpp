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
bool wants_apparmor(const std::string& profile, const host_facts& host) {
  return !profile.empty() && (host.apparmor || profile != "unconfined");
}

std::string_view apparmor_refusal(const host_facts& host) {
  return host.apparmor ? "AppArmor profiles are not supported yet"
                       : "this host has no AppArmor";
}

std::string_view selinux_refusal(const host_facts& host) {
  return host.selinux ? "SELinux labels are not supported yet"
                      : "this host has no SELinux";
}

} // namespace

outcome refuse_unsupported(const oci::process& x, std::string_view pointer,
                           const host_facts& host) {
  return refuse_any(
    std::array{
      asked_for{"/apparmorProfile", wants_apparmor(x.apparmor_profile, host),
                apparmor_refusal(host)},
      asked_for{"/selinuxLabel", !x.selinux_label.empty(),
                selinux_refusal(host)},
      asked_for{"/scheduler", x.scheduler.has_value(), not_yet},
      asked_for{"/ioPriority", x.io_priority.has_value(), not_yet},
      asked_for{"/execCPUAffinity", x.exec_cpu_affinity.has_value(), not_yet},
    },
    pointer);
}

outcome refuse_unsupported(const oci::spec& spec, const host_facts& host) {
  if (spec.process)
    TROUPE_CHECK(refuse_unsupported(*spec.process, "/process", host));
  const auto& x = spec.linux_;
  return refuse_any(
    std::array{
      asked_for{"/linux/mountLabel", !x.mount_label.empty(),
                selinux_refusal(host)},
      asked_for{"/linux/personality", x.personality.has_value(), not_yet},
      asked_for{"/linux/memoryPolicy", x.memory_policy.has_value(), not_yet},
    },
    "");
}

} // namespace troupe::plan
