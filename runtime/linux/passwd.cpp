#include "runtime/linux/passwd.hpp"

#include "config/base/quote.hpp"
#include "runtime/linux/regular_file.hpp"
#include "runtime/linux/rootfs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>

namespace troupe::sys {

namespace {

constexpr auto passwd_file = "/etc/passwd";
constexpr auto group_file = "/etc/group";

/// Large sites have some 100,000 lines.
constexpr std::size_t max_database = 16U << 20U;

/// NGROUPS_MAX; setgroups(2) takes no more.
constexpr std::size_t max_groups = 65'536;

constexpr auto npos = std::string_view::npos;

/// Cuts what is before the next `separator` off `text`.
std::string_view cut(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto out = text.substr(0, end);
  text.remove_prefix(end == npos ? text.size() : end + 1);
  return out;
}

/// The fields of a line. Missing ones are empty.
template <std::size_t Count>
std::array<std::string_view, Count> fields_of(std::string_view line) {
  std::array<std::string_view, Count> out;
  for (auto& each : out)
    each = cut(line, ':');
  return out;
}

/// 2^32 - 1 is no id: setresuid(2) reads it as "leave".
std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || rest != end || out == 0xffff'ffff)
    return std::nullopt;
  return out;
}

/// A database's text; empty if the root has none.
result<std::string> database(int root, const char* path) {
  const auto file = open_in_root(root, path, untrusted_read);
  if (!file && file.error().os_errno == ENOENT)
    return std::string{};
  if (!file)
    return fail(file.error());
  return read_regular(file->get(), path, max_database);
}

tl::unexpected<failure> unknown(std::string_view what, std::string_view name,
                                const char* file) {
  return fail(fault::invalid_config, "expected a " + std::string{what} + " of "
                                       + file + " or a number, found "
                                       + quote(name));
}

/// The first passwd line of that name or number, with a valid uid and gid.
struct passwd_entry {
  std::string_view name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

std::optional<passwd_entry> find_passwd(std::string_view text,
                                        std::string_view user) {
  const auto wanted = number(user);
  while (!text.empty()) {
    const auto fields = fields_of<4>(cut(text, '\n'));
    const auto uid = number(fields[2]);
    const auto gid = number(fields[3]);
    const auto matches = wanted ? uid == wanted : fields[0] == user;
    if (matches && uid && gid)
      return passwd_entry{fields[0], *uid, *gid};
  }
  return std::nullopt;
}

std::optional<std::uint32_t> find_group(std::string_view text,
                                        std::string_view group) {
  while (!text.empty()) {
    const auto fields = fields_of<3>(cut(text, '\n'));
    if (fields[0] == group)
      if (const auto gid = number(fields[2]))
        return gid;
  }
  return std::nullopt;
}

bool lists(std::string_view members, std::string_view user) {
  while (!members.empty())
    if (cut(members, ',') == user)
      return true;
  return false;
}

std::vector<std::uint32_t> groups_of(std::string_view text,
                                     std::string_view user) {
  std::vector<std::uint32_t> out;
  while (!text.empty() && out.size() < max_groups) {
    const auto fields = fields_of<4>(cut(text, '\n'));
    const auto gid = number(fields[2]);
    if (gid && lists(fields[3], user) && std::ranges::count(out, *gid) == 0)
      out.push_back(*gid);
  }
  return out;
}

result<std::uint32_t> group_id(int root, std::string_view group) {
  if (const auto gid = number(group))
    return *gid;
  TROUPE_TRY(const auto text, database(root, group_file));
  if (const auto gid = find_group(text, group))
    return *gid;
  return unknown("group", group, group_file);
}

} // namespace

result<user_ids> find_user(int root, std::string_view user) {
  const auto colon = user.find(':');
  const auto name = user.substr(0, colon);
  if (name.empty() || colon == user.size() - 1)
    return fail(fault::invalid_config,
                "expected USER or USER:GROUP, found " + quote(user));
  TROUPE_TRY(const auto passwd, database(root, passwd_file));
  const auto entry = find_passwd(passwd, name);
  const auto uid = entry ? entry->uid : number(name);
  if (!uid)
    return unknown("user", name, passwd_file);
  user_ids out{*uid, std::nullopt, {}};
  if (colon != npos) {
    TROUPE_TRY(out.gid, group_id(root, user.substr(colon + 1)));
    return out;
  }
  if (!entry)
    return out;
  out.gid = entry->gid;
  TROUPE_TRY(const auto group, database(root, group_file));
  out.groups = groups_of(group, entry->name);
  return out;
}

std::string home_of(int root, std::uint32_t uid) {
  const auto passwd = database(root, passwd_file).value_or(std::string{});
  for (auto rest = std::string_view{passwd}; !rest.empty();) {
    const auto fields = fields_of<6>(cut(rest, '\n'));
    if (number(fields[2]) == uid && fields[5].starts_with('/'))
      return std::string{fields[5]};
  }
  return "/";
}

} // namespace troupe::sys
