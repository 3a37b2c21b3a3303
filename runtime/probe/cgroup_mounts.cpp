#include "runtime/probe/cgroup_mounts.hpp"

#include "runtime/linux/mount_table.hpp"

#include <algorithm>

namespace troupe::sys {

namespace {

using std::string_view;

/// A v1 hierarchy without controllers, where systemd keeps its units.
constexpr string_view systemd_hierarchy = "name=systemd";

std::vector<string_view> split(string_view text, char separator) {
  auto out = std::vector<string_view>{};
  while (!text.empty()) {
    const auto size = std::min(text.find(separator), text.size());
    if (size > 0)
      out.push_back(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return out;
}

/// Columns of /proc/cgroups: name, hierarchy, cgroups, enabled.
std::vector<string_view> enabled_controllers(string_view cgroups) {
  auto out = std::vector<string_view>{};
  for (const auto line : split(cgroups, '\n'))
    if (const auto words = split(line, '\t');
        words.size() == 4 && !line.starts_with('#') && words[3] == "1")
      out.push_back(words[0]);
  return out;
}

struct cgroup_mount {
  std::string point;
  string_view type;
  string_view options; ///< Of the super block.
};

/// "36 35 98:0 /root /point opts optional... - type source superopts".
bool parse(string_view line, cgroup_mount& to) {
  const auto words = split(line, ' ');
  const auto dash = std::ranges::find(words, "-");
  if (words.size() < 5 || words.end() - dash < 4)
    return false;
  to = {unescape_mountinfo(words[4]), dash[1], dash[3]};
  return true;
}

plan::cgroup_mode mode_of(bool v1, bool v2) {
  using plan::cgroup_mode;
  return v1 ? (v2 ? cgroup_mode::hybrid : cgroup_mode::v1)
            : (v2 ? cgroup_mode::v2 : cgroup_mode::none);
}

} // namespace

void add_cgroup_mounts(plan::host_facts& facts, string_view mountinfo,
                       string_view cgroups) {
  const auto enabled = enabled_controllers(cgroups);
  for (const auto line : split(mountinfo, '\n')) {
    auto mount = cgroup_mount{};
    if (!parse(line, mount))
      continue;
    if (mount.type == "resctrl" && facts.resctrl_mount.empty())
      facts.resctrl_mount = mount.point;
    if (mount.type == "cgroup2" && facts.v2_mount.empty())
      facts.v2_mount = mount.point;
    if (mount.type != "cgroup")
      continue;
    for (const auto option : split(mount.options, ','))
      if (option == systemd_hierarchy
          || std::ranges::find(enabled, option) != enabled.end())
        facts.v1_mounts.emplace(option, mount.point);
  }
  const auto controls = [](const auto& mount) {
    return mount.first != systemd_hierarchy;
  };
  facts.cgroups = mode_of(std::ranges::any_of(facts.v1_mounts, controls),
                          !facts.v2_mount.empty());
}

} // namespace troupe::sys
