#include "config/base/quote.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <algorithm>

namespace troupe::oci::rules {

namespace {

/// True if one of the path's components is `..`.
bool climbs(std::string_view path) {
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (path.substr(0, slash) == "..")
      return true;
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
  }
  return false;
}

outcome check_namespaces(const linux_config& x, const pointer& at) {
  for (std::size_t i = 0; i < x.namespaces.size(); ++i) {
    const auto& entry = x.namespaces[i];
    if (!entry.path.empty())
      TROUPE_CHECK(check_absolute(at / i / "path", entry.path));
    if (find(x, entry.kind) != &entry)
      return refuse(
        at / i / "type", "each type once",
        quote(words::namespaces[static_cast<std::size_t>(entry.kind)])
          + " again");
  }
  return {};
}

outcome check_user_namespace(const linux_config& x) {
  struct row {
    pointer at;
    const std::vector<id_mapping>& mappings;
  };
  const auto* user = find(x, namespace_kind::user);
  for (const auto& [at, mappings] :
       {row{pointer{"/linux/uidMappings"}, x.uid_mappings},
        row{pointer{"/linux/gidMappings"}, x.gid_mappings}}) {
    TROUPE_CHECK(check_mappings(at, mappings));
    if (!mappings.empty() && !user)
      return check_has_namespace(x, namespace_kind::user, at);
    if (mappings.empty() && user && user->path.empty())
      return refuse(at, "mappings for the new user namespace", "none");
  }
  return {};
}

/// Offsets can be set only before the first process enters the namespace,
/// time_namespaces(7): a joined one is too late.
outcome check_time_offsets(const linux_config& x, const pointer& at) {
  if (x.time_offsets.empty())
    return {};
  const auto* time = find(x, namespace_kind::time);
  if (!time || !time->path.empty())
    return refuse(at, "a new time namespace in /linux/namespaces", "none");
  for (const auto& offset : x.time_offsets) {
    TROUPE_CHECK(check_word(at / offset.clock, offset.clock, words::clocks));
    TROUPE_CHECK(check_range(at / offset.clock / "nanosecs", offset.nanosecs, 0,
                             999'999'999));
  }
  return {};
}

/// Kernel dev_valid_name(): shorter than IFNAMSIZ, one word, no path.
bool is_interface_name(std::string_view name) {
  constexpr std::size_t longest = 15;
  return !name.empty() && name.size() <= longest && name != "." && name != ".."
         && name.find_first_of("/: \t\n\v\f\r") == name.npos;
}

const std::string& name_inside(const net_device& x) {
  return x.name.empty() ? x.host_name : x.name;
}

outcome check_net_devices(const linux_config& x, const pointer& at) {
  constexpr auto expected = "an interface name of 1 to 15 characters";
  for (const auto& device : x.net_devices) {
    const auto where = at / device.host_name;
    TROUPE_CHECK(check_has_namespace(x, namespace_kind::network, where));
    if (!is_interface_name(device.host_name))
      return refuse(where, expected, quote(device.host_name));
    if (!device.name.empty() && !is_interface_name(device.name))
      return refuse(where / "name", expected, quote(device.name));
    for (const auto& other : x.net_devices)
      if (&other < &device && name_inside(other) == name_inside(device)
          && name_inside(device).find('%') == std::string::npos)
        return refuse(where / "name", "a name of its own in the container",
                      quote(name_inside(device)) + " again");
  }
  return {};
}

outcome check_cgroups_path(const linux_config& x, const pointer& at) {
  if (climbs(x.cgroups_path))
    return refuse(at, "a path without '..'", quote(x.cgroups_path));
  return {};
}

outcome check_personality(const personality& x, const pointer& at) {
  TROUPE_CHECK(check_word(at / "domain", x.domain, words::personalities));
  if (!x.flags.empty())
    return refuse(at / "flags", "none: the spec names no flag yet",
                  quote(x.flags.front()));
  return {};
}

outcome check_intel_rdt(const intel_rdt& x, const pointer& at) {
  const auto lines = [](const std::string& text) {
    return text.find('\n') != text.npos;
  };
  // "/" is the default class, which every task is in.
  const auto root = x.clos_id == "/";
  if (x.clos_id == "." || x.clos_id == ".."
      || (!root && x.clos_id.find('/') != x.clos_id.npos))
    return refuse(at / "closID", "one directory name, or /", quote(x.clos_id));
  for (std::size_t i = 0; i < x.schemata.size(); ++i)
    if (x.schemata[i].empty() || lines(x.schemata[i]))
      return refuse(at / "schemata" / i, "one line", quote(x.schemata[i]));
  if (lines(x.l3_cache_schema))
    return refuse(at / "l3CacheSchema", "one line", quote(x.l3_cache_schema));
  if (lines(x.mem_bw_schema)
      || (!x.mem_bw_schema.empty() && !x.mem_bw_schema.starts_with("MB:")))
    return refuse(at / "memBwSchema",
                  "one line that starts with MB:", quote(x.mem_bw_schema));
  return {};
}

/// Which mode takes nodes, and which flags exclude each other:
/// set_mempolicy(2).
outcome check_memory_policy(const memory_policy& x, const pointer& at) {
  TROUPE_CHECK(check_word(at / "mode", x.mode, words::memory_policy_modes));
  TROUPE_CHECK(check_cpu_list(at / "nodes", x.nodes));
  TROUPE_CHECK(check_words(at / "flags", x.flags, words::memory_policy_flags));
  const auto is = [&](std::string_view mode) { return x.mode == mode; };
  const auto has = [&](std::string_view flag) {
    return std::ranges::find(x.flags, flag) != x.flags.end();
  };
  if ((is("MPOL_DEFAULT") || is("MPOL_LOCAL")) && !x.nodes.empty())
    return refuse(at / "nodes", "none for " + x.mode, quote(x.nodes));
  if (!is("MPOL_DEFAULT") && !is("MPOL_LOCAL") && !is("MPOL_PREFERRED")
      && x.nodes.empty())
    return refuse(at / "nodes", "nodes for " + x.mode, "none");
  if (has("MPOL_F_STATIC_NODES") && has("MPOL_F_RELATIVE_NODES"))
    return refuse(at / "flags", "static or relative nodes", "both");
  if (has("MPOL_F_NUMA_BALANCING") && !is("MPOL_BIND")
      && !is("MPOL_PREFERRED_MANY"))
    return refuse(at / "flags",
                  "MPOL_F_NUMA_BALANCING for MPOL_BIND or MPOL_PREFERRED_MANY "
                  "only",
                  "it for " + x.mode);
  return {};
}

} // namespace

outcome check_linux(const linux_config& x) {
  const pointer at{"/linux"};
  TROUPE_CHECK(check_namespaces(x, at / "namespaces"));
  TROUPE_CHECK(check_user_namespace(x));
  TROUPE_CHECK(check_time_offsets(x, at / "timeOffsets"));
  TROUPE_CHECK(check_devices(x, at / "devices"));
  TROUPE_CHECK(check_net_devices(x, at / "netDevices"));
  TROUPE_CHECK(check_cgroups_path(x, at / "cgroupsPath"));
  if (x.resources)
    TROUPE_CHECK(check_resources(*x.resources, at / "resources"));
  if (x.seccomp)
    TROUPE_CHECK(check_seccomp(*x.seccomp, at / "seccomp"));
  TROUPE_CHECK(check_sysctls(x, at / "sysctl"));
  if (x.personality)
    TROUPE_CHECK(check_personality(*x.personality, at / "personality"));
  if (x.intel_rdt)
    TROUPE_CHECK(check_intel_rdt(*x.intel_rdt, at / "intelRdt"));
  if (x.memory_policy)
    TROUPE_CHECK(check_memory_policy(*x.memory_policy, at / "memoryPolicy"));
  return {};
}

} // namespace troupe::oci::rules
