#include "runtime/compile/facilities.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <linux/mount.h>
#include <map>
#include <sched.h>
#include <sys/mount.h>

// A cgroup mount of a container that may not have cgroups of its own: it shows
// those that the container was started in.
namespace troupe::plan {

namespace {

/// The v1 hierarchies: where mounted -> its controllers, which is what mount(8)
/// has to be told to find it.
std::map<std::string, std::vector<std::string>>
hierarchies(const host_facts& host) {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [controller, where] : host.v1_mounts)
    out[where].push_back(controller);
  return out;
}

/// In a cgroup namespace a new mount has the namespace's root. Without one the
/// host's mount is what every process here sees.
mount shown(const mount& asked, const std::string& target,
            const std::string& host_mount, const std::string& type,
            std::vector<std::string> options, bool own_namespace) {
  auto out = asked;
  out.target = target;
  if (own_namespace) {
    out.kind = mount_kind::filesystem;
    out.type = out.source = type;
    out.data = std::move(options);
    return out;
  }
  out.kind = mount_kind::bind;
  out.source = host_mount;
  out.data.clear();
  out.propagation = MS_SLAVE;
  return out;
}

/// A tmpfs with a directory for each hierarchy, as the host has it.
std::vector<mount> shown_v1(const mount& asked, const host_facts& host,
                            bool own_namespace) {
  std::vector<mount> out;
  auto base = asked;
  base.kind = mount_kind::filesystem;
  base.type = base.source = "tmpfs";
  base.data = {"mode=755"};
  base.attr_set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  out.push_back(base);
  const auto below = [&](const std::string& where) {
    return asked.target + "/"
           + std::filesystem::path{where}.filename().string();
  };
  for (const auto& [where, controllers] : hierarchies(host))
    out.push_back(
      shown(asked, below(where), where, "cgroup", controllers, own_namespace));
  if (!host.v2_mount.empty())
    out.push_back(shown(asked, below(host.v2_mount), host.v2_mount, "cgroup2",
                        {}, own_namespace));
  if (base.attr_set != asked.attr_set) {
    base.kind = mount_kind::remount;
    base.type = base.source = "";
    base.data.clear();
    base.attr_set = asked.attr_set;
    out.push_back(base);
  }
  return out;
}

} // namespace

std::vector<mount> show_cgroups(std::vector<mount> mounts,
                                const host_facts& host,
                                std::uint64_t new_namespaces) {
  const auto nothing = host.v1_mounts.empty() && host.v2_mount.empty();
  if (host.cgroups != cgroup_mode::none || nothing)
    return mounts;
  const auto own_namespace = (new_namespaces & CLONE_NEWCGROUP) != 0;
  std::vector<mount> out;
  for (auto& x : mounts)
    if (x.kind != mount_kind::cgroup)
      out.push_back(std::move(x));
    else if (host.v1_mounts.empty())
      out.push_back(
        shown(x, x.target, host.v2_mount, "cgroup2", {}, own_namespace));
    else
      std::ranges::move(shown_v1(x, host, own_namespace),
                        std::back_inserter(out));
  return out;
}

} // namespace troupe::plan
