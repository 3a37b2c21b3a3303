#include "runtime/probe/cgroup_mounts.hpp"

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

bool is_octal(char x) {
  return x >= '0' && x <= '7';
}

/// mountinfo writes blanks and backslashes as "\040".
std::string unescaped(string_view text) {
  auto out = std::string{};
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    const auto code = text.substr(i + 1 <= text.size() ? i + 1 : i, 3);
    if (text[i] == '\\' && code.size() == 3
        && std::ranges::all_of(code, is_octal)) {
      out += static_cast<char>((code[0] - '0') * 64 + (code[1] - '0') * 8
                               + (code[2] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
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

struct mounted {
  std::string point;
  string_view type;
  string_view options; ///< Of the super block.
};

/// "36 35 98:0 /root /point opts optional... - type source superopts".
bool parse(string_view line, mounted& to) {
  const auto words = split(line, ' ');
  const auto dash = std::ranges::find(words, "-");
  if (words.size() < 5 || words.end() - dash < 4)
    return false;
  to = {unescaped(words[4]), dash[1], dash[3]};
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
    auto mount = mounted{};
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
