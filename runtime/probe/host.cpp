#include "runtime/probe/host.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/memory_policy.hpp"
#include "runtime/linux/user_namespace.hpp"
#include "runtime/probe/cgroup_mounts.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <unistd.h>

namespace troupe::sys {

namespace {

std::string content(const std::string& path) {
  return read_file(AT_FDCWD, path).value_or(std::string{});
}

std::vector<std::string> words_of(std::string text) {
  std::ranges::replace(text, ',', ' ');
  auto in = std::istringstream{std::move(text)};
  auto out = std::vector<std::string>{};
  for (auto word = std::string{}; in >> word;)
    out.push_back(word);
  return out;
}

/// The number after `before` in `text`, or `otherwise`.
std::uint64_t number_after(const std::string& text, std::string_view before,
                           int base, std::uint64_t otherwise) {
  const auto found = text.find(before);
  if (found == std::string::npos)
    return otherwise;
  const auto* const end = text.data() + text.size();
  auto value = otherwise;
  std::from_chars(text.data() + found + before.size(), end, value, base);
  return value;
}

bool exists(const char* path) {
  return ::access(path, F_OK) == 0;
}

/// securityfs is often not mounted; each module has a place of its own too.
bool has_lsm(std::string_view name, bool own_sign) {
  const auto active = words_of(content("/sys/kernel/security/lsm"));
  return own_sign || std::ranges::find(active, name) != active.end();
}

/// Whether a directory below `mount` can be made as `path`, a part of which may
/// be there.
bool may_make(const std::string& mount, std::string path) {
  while (!path.empty() && !exists((mount + path).c_str()))
    path.resize(path.rfind('/'));
  return ::access((mount + path).c_str(), W_OK | X_OK) == 0;
}

/// An ordinary user may have been given a v2 directory; v1 cannot be delegated
/// safely, cgroups(7). Root of a user namespace is one for podman, and in a
/// system container has every hierarchy.
bool has_cgroup_rights(const plan::host_facts& host) {
  if (host.cgroups == plan::cgroup_mode::v2)
    return may_make(host.v2_mount, host.cgroup_parent);
  return host.uid == 0
         && std::ranges::all_of(host.v1_mounts, [&](const auto& each) {
              return may_make(each.second, host.cgroup_parent);
            });
}

} // namespace

plan::host_facts probe_host(const std::string& cgroup_parent) {
  auto out = plan::host_facts{};
  out.cgroup_parent = cgroup_parent;
  add_cgroup_mounts(out, content("/proc/self/mountinfo"),
                    content("/proc/cgroups"));
  if (!out.v2_mount.empty())
    out.v2_controllers = words_of(
      content(out.v2_mount + "/cgroup.controllers"));
  out.uid = ::geteuid();
  out.gid = ::getegid();
  if ((out.uid != 0 || !in_first_user_namespace()) && !has_cgroup_rights(out))
    out.cgroups = plan::cgroup_mode::none;
  out.last_capability = number_after(content("/proc/sys/kernel/cap_last_cap"),
                                     "", 10, out.last_capability);
  out.permitted_capabilities = number_after(
    content("/proc/self/status"), "CapPrm:\t", 16, out.permitted_capabilities);
  out.apparmor = has_lsm(
    "apparmor",
    content("/sys/module/apparmor/parameters/enabled").starts_with('Y'));
  out.selinux = has_lsm("selinux", exists("/sys/fs/selinux/enforce"));
  out.pressure = exists("/proc/pressure");
  out.kernel_core = exists("/proc/kcore");
  out.time_namespaces = exists("/proc/self/ns/time");
  out.memory_policy = has_memory_policies();
  return out;
}

} // namespace troupe::sys
