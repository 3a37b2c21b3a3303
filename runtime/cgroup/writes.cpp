#include "runtime/cgroup/writes.hpp"

#include "config/base/quote.hpp"
#include "runtime/cgroup/device_rules.hpp"
#include "runtime/cgroup/limits.hpp"
#include "runtime/cgroup/pressure.hpp"
#include "runtime/cgroup/scope.hpp"

#include <algorithm>

namespace troupe::cgroup {

namespace {

using plan::cgroup_mode;

// -- where --------------------------------------------------------------------

tl::unexpected<failure> bad_path(const std::string& path,
                                 std::string_view problem) {
  return fail(fault::invalid_config, "/linux/cgroupsPath: " + quote(path) + ": "
                                       + std::string{problem});
}

/// "/a//b/" as "/a/b"; ".." could leave the hierarchy, and is refused.
result<std::string> normal_path(const std::string& path,
                                const std::string& found) {
  auto out = std::string{};
  for (auto rest = std::string_view{path}; !rest.empty();) {
    const auto size = std::min(rest.find('/'), rest.size());
    const auto name = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (name.empty() || name == ".")
      continue;
    if (name == "..")
      return bad_path(found, "must not contain '..'");
    if (name.find_first_of(std::string_view{"\n\0", 2}) != name.npos)
      return bad_path(found, "must not contain a newline or a null");
    out.append("/").append(name);
  }
  if (out.empty())
    return bad_path(found, "must not be the root of the hierarchy");
  return out;
}

/// systemd's form is `slice:prefix:name`; no path looks like it by accident.
bool is_systemd_path(const std::string& path) {
  return !path.starts_with('/') && std::ranges::count(path, ':') == 2;
}

result<std::string> own_path(const std::string& asked,
                             const plan::host_facts& host,
                             const std::string& id) {
  if (is_systemd_path(asked))
    return fail(fault::unsupported,
                "/linux/cgroupsPath: " + quote(asked)
                  + ": systemd's slice:prefix:name needs --systemd-cgroup");
  if (asked.starts_with('/'))
    return normal_path(asked, asked);
  return normal_path(host.cgroup_parent + "/" + (asked.empty() ? id : asked),
                     asked.empty() ? id : asked);
}

/// What beyond the usual controllers the spec limits.
std::vector<std::string_view> asked_controllers(const oci::resources& x) {
  auto out = std::vector<std::string_view>{};
  if (x.cpu && !(x.cpu->cpus.empty() && x.cpu->mems.empty()))
    out.push_back("cpuset");
  if (!x.hugepage_limits.empty())
    out.push_back("hugetlb");
  if (!x.rdma.empty())
    out.push_back("rdma");
  if (x.network && x.network->class_id.value_or(0) != 0)
    out.push_back("net_cls");
  if (x.network && !x.network->priorities.empty())
    out.push_back("net_prio");
  return out;
}

/// "cpu,cpuacct": every controller of the hierarchy mounted at `mount`.
std::string mounted_together(const plan::host_facts& host,
                             const std::string& mount) {
  auto out = std::string{};
  for (const auto& [controller, where] : host.v1_mounts)
    if (where == mount)
      out.append(out.empty() ? "" : ",").append(controller);
  return out;
}

bool has_v1(cgroup_mode mode) {
  return mode == cgroup_mode::v1 || mode == cgroup_mode::hybrid;
}

bool has_v2(cgroup_mode mode) {
  return mode == cgroup_mode::v2 || mode == cgroup_mode::hybrid;
}

/// The v1 directories first: `entrance::v1_tasks` has their order.
std::vector<plan::cgroup_dir>
own_dirs(const plan::host_facts& host,
         const std::vector<std::string_view>& asked, const std::string& path) {
  auto out = std::vector<plan::cgroup_dir>{};
  for (const auto& row : controllers) {
    const auto found = host.v1_mounts.find(std::string{row.v1});
    if (!has_v1(host.cgroups) || found == host.v1_mounts.end()
        || !(row.joined_v1 || std::ranges::count(asked, row.v1)))
      continue;
    const auto& mount = found->second;
    if (std::ranges::find(out, mount, &plan::cgroup_dir::mount) == out.end())
      out.push_back({mounted_together(host, mount), mount, path});
  }
  if (has_v2(host.cgroups) && !host.v2_mount.empty())
    out.push_back({"", host.v2_mount, path});
  return out;
}

/// The prefix of each key of `unified` is a controller's v2 name.
bool unified_asks(const oci::resources& x, const std::string& v2_name) {
  return std::ranges::any_of(x.unified, [&](const auto& entry) {
    return entry.first.starts_with(v2_name + ".");
  });
}

/// What the v2 hierarchy has and the container needs.
std::string enabled_controllers(const oci::resources& x,
                                const plan::host_facts& host,
                                const std::vector<std::string_view>& asked) {
  auto out = std::string{};
  for (const auto& name : host.v2_controllers) {
    const auto* const row = std::ranges::find(controllers, name,
                                              &controller_row::v2);
    const auto known = row != std::end(controllers);
    const auto needed
      = (known && (row->enabled_v2 || std::ranges::count(asked, row->v1)))
        || unified_asks(x, name);
    if (has_v2(host.cgroups) && needed)
      out.append(out.empty() ? "+" : " +").append(name);
  }
  return out;
}

// -- what ---------------------------------------------------------------------

/// One write for each line, as the kernel takes them.
outcome put_unified(write_list& to,
                    const std::map<std::string, std::string>& entries) {
  for (const auto& [file, text] : entries)
    for (auto rest = std::string_view{text};;) {
      const auto size = std::min(rest.find('\n'), rest.size());
      TROUPE_CHECK(to.put_unified(file, std::string{rest.substr(0, size)}));
      rest.remove_prefix(std::min(size + 1, rest.size()));
      if (rest.empty())
        break;
    }
  return {};
}

} // namespace

outcome put_devices(write_list& to,
                    const std::vector<oci::device_rule>& rules) {
  TROUPE_TRY(const auto lines, device_lines(rules));
  const auto at = place_of(to.in(), "devices");
  if (!at || at->v2) {
    if (!lines.empty())
      TROUPE_CHECK(to.put("devices", {"", std::string{device_program_file}},
                          both(to_text(lines)), "devices"));
    return {};
  }
  TROUPE_CHECK(check_v1_list(lines));
  for (const auto& line : lines) {
    const auto pointer = line.source < rules.size()
                           ? "devices/" + std::to_string(line.source)
                           : std::string{"devices"};
    const auto file = line.allow ? "devices.allow" : "devices.deny";
    TROUPE_CHECK(to.put("devices", {file, ""}, {to_string(line), ""}, pointer));
  }
  return {};
}

plan::cgroup cgroup_at(const plan::host_facts& host, const std::string& path) {
  plan::cgroup out;
  out.mode = host.cgroups;
  out.dirs = own_dirs(host, {}, path);
  return out;
}

result<std::vector<plan::cgroup_write>>
plan_writes(const oci::resources& resources, const plan::cgroup& in) {
  auto out = write_list{in};
  if (resources.cpu)
    TROUPE_CHECK(put_cpu(out, *resources.cpu));
  if (resources.memory)
    TROUPE_CHECK(put_memory(out, *resources.memory));
  if (resources.pids_limit)
    TROUPE_CHECK(put_pids(out, *resources.pids_limit));
  if (resources.block_io)
    TROUPE_CHECK(put_block_io(out, *resources.block_io));
  TROUPE_CHECK(put_hugepages(out, resources.hugepage_limits));
  if (resources.network)
    TROUPE_CHECK(put_network(out, *resources.network));
  TROUPE_CHECK(put_rdma(out, resources.rdma));
  TROUPE_CHECK(put_devices(out, resources.devices));
  TROUPE_CHECK(put_unified(out, resources.unified));
  return std::move(out).take();
}

result<plan::cgroup> plan_cgroup(const oci::spec& spec,
                                 const plan::host_facts& host,
                                 const std::string& id) {
  auto out = plan::cgroup{};
  std::string path;
  if (host.scope_helper.empty()) {
    TROUPE_TRY(path, own_path(spec.linux_.cgroups_path, host, id));
  } else {
    TROUPE_TRY(out.scope, plan_scope(spec, host, id));
    path = path_of(out.scope);
  }
  const auto resources = spec.linux_.resources.value_or(oci::resources{});
  const auto asked = asked_controllers(resources);
  out.mode = host.cgroups;
  out.dirs = own_dirs(host, asked, path);
  out.subtree_control = enabled_controllers(resources, host, asked);
  TROUPE_TRY(out.writes, plan_writes(resources, out));
  TROUPE_TRY(out.triggers, plan_triggers(spec, out, host));
  return out;
}

} // namespace troupe::cgroup
