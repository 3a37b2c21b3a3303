#include "runtime/oci/documents.hpp"

#include "runtime/linux/file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace troupe::oci_runtime {

namespace {

using nlohmann::ordered_json;

/// The name of a user id in the host's /etc/passwd, or the number. Not by
/// getpwuid(3): a static program has no NSS modules.
std::string user_name(std::uint32_t uid) {
  const auto number = std::to_string(uid);
  const auto passwd = sys::read_file(AT_FDCWD, "/etc/passwd").value_or("");
  for (auto rest = std::string_view{passwd}; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto name = line.substr(0, line.find(':'));
    const auto fields = line.substr(std::min(name.size() + 1, line.size()));
    const auto ids = fields.substr(std::min(fields.find(':'), fields.size()));
    if (ids.starts_with(":" + number + ":"))
      return std::string{name};
  }
  return number;
}

std::int32_t pid_of(const container& x) {
  return x.is_alive() ? x.state.pid : 0;
}

ordered_json document(const container& x, const std::string& owner) {
  ordered_json out{{"ociVersion", x.state.oci_version},
                   {"id", x.state.id},
                   {"pid", pid_of(x)},
                   {"status", to_string(x.status)},
                   {"bundle", x.state.bundle},
                   {"rootfs", x.state.rootfs},
                   {"created", rfc3339(x.state.created)}};
  if (!x.state.annotations.empty())
    out["annotations"] = x.state.annotations;
  out["owner"] = owner;
  return out;
}

std::string dump(const ordered_json& x, int indent) {
  return x.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

using row = std::array<std::string, 6>;

/// Go's tabwriter, as runc uses it: at least 12 wide, one blank between.
std::string aligned(const std::vector<row>& rows) {
  constexpr std::size_t least = 12;
  std::array<std::size_t, 6> widths{};
  for (const auto& each : rows)
    for (std::size_t i = 0; i < each.size(); ++i)
      widths[i] = std::max({widths[i], each[i].size() + 1, least});
  std::string out;
  for (const auto& each : rows) {
    for (std::size_t i = 0; i + 1 < each.size(); ++i)
      out += each[i] + std::string(widths[i] - each[i].size(), ' ');
    out += each.back() + '\n';
  }
  return out;
}

} // namespace

std::string state_text(const container& x) {
  return dump(document(x, ""), 2) + '\n';
}

std::string list_json(const std::vector<listed>& xs) {
  auto out = ordered_json::array();
  for (const auto& each : xs)
    if (each.container)
      out.push_back(
        document(*each.container, user_name(each.container->state.owner)));
  return dump(out, -1) + '\n';
}

std::string list_table(const std::vector<listed>& xs) {
  std::vector<row> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const auto& each : xs) {
    if (!each.container) {
      rows.push_back({each.id, "0", "damaged", "", "", ""});
      continue;
    }
    const auto& x = *each.container;
    rows.push_back({each.id, std::to_string(pid_of(x)),
                    std::string{to_string(x.status)}, x.state.bundle,
                    rfc3339(x.state.created), user_name(x.state.owner)});
  }
  return aligned(rows);
}

} // namespace troupe::oci_runtime
