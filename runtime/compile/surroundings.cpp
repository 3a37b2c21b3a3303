#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>

// What a container gets of the host beside files: network devices, a class of
// service, and what may be asked for at all by whom.
namespace troupe::plan {

namespace {

using kind = oci::namespace_kind;

tl::unexpected<failure> refuse(std::string pointer, std::string_view why) {
  return fail(fault::unsupported, std::move(pointer).append(": ").append(why));
}

// -- user namespaces ----------------------------------------------------------

struct owned_filesystem {
  std::string_view type;
  oci::namespace_kind needs;
  std::string_view why;
};

// Each shows a namespace, and a user namespace may mount it only for one that
// it owns, user_namespaces(7).
constexpr std::array owned_filesystems{
  owned_filesystem{"proc", kind::pid,
                   "proc in a user namespace needs a pid namespace too, "
                   "/linux/namespaces has none: bind the host's /proc instead"},
  owned_filesystem{"sysfs", kind::network,
                   "sysfs in a user namespace needs a network namespace too, "
                   "/linux/namespaces has none: bind the host's /sys instead"},
  owned_filesystem{"mqueue", kind::ipc,
                   "mqueue in a user namespace needs an ipc namespace too, "
                   "/linux/namespaces has none"},
};

outcome refuse_foreign_filesystems(const oci::spec& spec) {
  for (std::size_t i = 0; i != spec.mounts.size(); ++i) {
    const auto* const row = std::ranges::find(
      owned_filesystems, spec.mounts[i].type, &owned_filesystem::type);
    if (row != owned_filesystems.end()
        && find_namespace(spec.linux_, row->needs) == nullptr)
      return refuse(at("/mounts", i) + "/type", row->why);
  }
  return {};
}

// -- ordinary users -----------------------------------------------------------

/// Such a gid map can only be written after setgroups(2) has been given up.
bool denies_groups(const oci::linux_config& in, std::uint32_t own_gid) {
  const auto& map = in.gid_mappings;
  return map.size() == 1 && map[0].size == 1 && map[0].host_id == own_gid;
}

outcome refuse_idmaps(const oci::spec& spec) {
  for (std::size_t i = 0; i != spec.mounts.size(); ++i) {
    const auto& x = spec.mounts[i];
    const auto words = std::ranges::any_of(x.options, [](const auto& word) {
      return word == "idmap" || word == "ridmap";
    });
    if (words || !x.uid_mappings.empty())
      return refuse(at("/mounts", i) + "/options",
                    "an ordinary user cannot make idmapped mounts");
  }
  return {};
}

outcome refuse_for_user(const oci::spec& spec, const host_facts& host) {
  const auto& in = spec.linux_;
  if (find_namespace(in, kind::user) == nullptr)
    return refuse("/linux/namespaces",
                  "an ordinary user needs a user namespace, there is none");
  if (!in.time_offsets.empty())
    return refuse("/linux/timeOffsets", "an ordinary user cannot set them");
  if (!in.net_devices.empty())
    return refuse("/linux/netDevices",
                  "an ordinary user cannot move network devices");
  if (in.intel_rdt)
    return refuse("/linux/intelRdt", "an ordinary user cannot use resctrl");
  if (host.cgroups == cgroup_mode::none && !in.cgroups_path.empty())
    return refuse("/linux/cgroupsPath",
                  "an ordinary user without a cgroup of their own cannot make "
                  "one");
  if (spec.process && !spec.process->user.additional_gids.empty()
      && denies_groups(in, host.gid))
    return refuse("/process/user/additionalGids",
                  "an ordinary user's group alone allows no others: "
                  "/linux/gidMappings has to map a range of /etc/subgid");
  return refuse_idmaps(spec);
}

// -- resctrl ------------------------------------------------------------------

/// l3CacheSchema may have several lines; one for memory bandwidth gives way to
/// memBwSchema. Those of `schemata` come last.
std::vector<std::string> schemata_of(const oci::intel_rdt& x) {
  std::vector<std::string> out;
  for (auto rest = std::string_view{x.l3_cache_schema}; !rest.empty();) {
    const auto size = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, size);
    if (!line.empty() && (x.mem_bw_schema.empty() || !line.starts_with("MB:")))
      out.emplace_back(line);
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  if (!x.mem_bw_schema.empty())
    out.push_back(x.mem_bw_schema);
  out.insert(out.end(), x.schemata.begin(), x.schemata.end());
  return out;
}

} // namespace

outcome refuse_unprivileged(const oci::spec& spec, const host_facts& host) {
  if (host.uid != 0)
    TROUPE_CHECK(refuse_for_user(spec, host));
  if (find_namespace(spec.linux_, kind::user) == nullptr)
    return {};
  return refuse_foreign_filesystems(spec);
}

std::vector<net_device> compile_net_devices(const oci::linux_config& in) {
  std::vector<net_device> out;
  for (const auto& x : in.net_devices)
    out.push_back({x.host_name, x.name.empty() ? x.host_name : x.name,
                   at_key("/linux/netDevices", x.host_name)});
  return out;
}

result<intel_rdt> compile_intel_rdt(const oci::linux_config& in,
                                    const host_facts& host,
                                    const std::string& id) {
  intel_rdt out;
  if (!in.intel_rdt)
    return out;
  const auto& x = *in.intel_rdt;
  if (host.resctrl_mount.empty())
    return refuse("/linux/intelRdt", "this host has no resctrl mounted");
  out.shared = !x.clos_id.empty();
  out.directory = host.resctrl_mount;
  if (x.clos_id != "/")
    out.directory += "/" + (out.shared ? x.clos_id : id);
  out.schemata = schemata_of(x);
  out.monitoring = x.enable_monitoring;
  return out;
}

} // namespace troupe::plan
