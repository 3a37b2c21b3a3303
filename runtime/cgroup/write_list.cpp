#include "runtime/cgroup/write_list.hpp"

#include "config/base/quote.hpp"

#include <algorithm>

namespace troupe::cgroup {

namespace {

std::string_view v2_name(std::string_view v1_name) {
  const auto* const row = std::ranges::find(controllers, v1_name,
                                            &controller_row::v1);
  return row == std::end(controllers) ? "" : row->v2;
}

std::optional<place> v2_place(const plan::cgroup& in) {
  for (auto i = std::uint32_t{0}; i < in.dirs.size(); ++i)
    if (in.dirs[i].controller.empty())
      return place{i, true};
  return std::nullopt;
}

/// RFC 6901 in a key.
std::string escaped(const std::string& key) {
  auto out = std::string{};
  for (const auto x : key)
    out += x == '~' ? "~0" : x == '/' ? "~1" : std::string(1, x);
  return out;
}

/// A value, or the first of its alternatives, for a message.
std::string shown(std::string_view value) {
  return quote(value.substr(0, value.find('|')));
}

} // namespace

bool has_item(std::string_view list, char separator,
              std::string_view item) noexcept {
  while (!list.empty()) {
    const auto end = std::min(list.find(separator), list.size());
    if (list.substr(0, end) == item)
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::optional<place> place_of(const plan::cgroup& in,
                              std::string_view controller) {
  for (auto i = std::uint32_t{0}; i < in.dirs.size(); ++i)
    if (has_item(in.dirs[i].controller, ',', controller))
      return place{i, false};
  if (controller == "devices") // a BPF program, which needs no controller
    return v2_place(in);
  const auto name = v2_name(controller);
  const auto enabled = !name.empty()
                       && has_item(in.subtree_control, ' ',
                                   "+" + std::string{name});
  return enabled ? v2_place(in) : std::nullopt;
}

outcome write_list::put(std::string_view controller, const by_version& file,
                        const by_version& value, std::string_view pointer) {
  const auto origin = "/linux/resources/" + std::string{pointer};
  const auto at = place_of(in_, controller);
  if (!at)
    return fail(fault::unsupported,
                origin + ": " + shown(value.v2.empty() ? value.v1 : value.v2)
                  + ": this host has no " + std::string{controller}
                  + " cgroup controller");
  const auto& [dir, v2] = *at;
  const auto& name = v2 ? file.v2 : file.v1;
  const auto& text = v2 ? value.v2 : value.v1;
  if (name.empty())
    return fail(fault::unsupported,
                origin + ": " + shown(v2 ? value.v1 : value.v2) + ": cgroup "
                  + (v2 ? "v2" : "v1") + " has no such limit");
  writes_.push_back({dir, name, text, origin});
  return {};
}

outcome write_list::put_unified(const std::string& file,
                                const std::string& value) {
  const auto origin = "/linux/resources/unified/" + escaped(file);
  const auto at = v2_place(in_);
  if (in_.mode != plan::cgroup_mode::v2 || !at)
    return fail(fault::unsupported,
                origin + ": " + shown(value)
                  + ": this host's limits are not in cgroup v2");
  if (file.find_first_of("/|") != std::string::npos
      || file.find('.') == std::string::npos || file.starts_with("."))
    return fail(fault::invalid_config,
                origin + ": not the name of a cgroup file (CONTROLLER.NAME)");
  const auto controller = file.substr(0, file.find('.'));
  if (controller != "cgroup"
      && !has_item(in_.subtree_control, ' ', "+" + controller))
    return fail(fault::unsupported, origin + ": this host has no " + controller
                                      + " controller in cgroup v2");
  writes_.push_back({at->dir, file, value, origin});
  return {};
}

} // namespace troupe::cgroup
