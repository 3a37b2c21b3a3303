#include "runtime/cgroup/oom.hpp"

#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/stat_files.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::cgroup {

namespace {

/// The memory hierarchy of a container: where it is mounted, and the
/// container's path in it.
struct memory_place {
  account at;
  std::string mount;
  std::string path;
};

memory_place place_of_memory(const plan::cgroup& in) {
  memory_place out{account_of(in, "memory"), {}, {}};
  for (const auto& dir : in.dirs)
    if (directory_of(dir) == out.at.directory) {
      out.mount = dir.mount;
      out.path = dir.path;
    }
  return out;
}

std::int64_t limit_of(const account& at) {
  return number_in(at, at.v2 ? "memory.max" : "memory.limit_in_bytes");
}

/// How often the limit of this very cgroup ended in an OOM (v1: was hit at
/// all, which is as much as it tells).
std::int64_t hits_of(const account& at) {
  const auto hits = at.v2 ? field_in(content(at, "memory.events.local"), "oom")
                          : number_in(at, "memory.failcnt");
  return std::max<std::int64_t>(hits, 0);
}

/// v1 counts a kill where the victim was, and not in the cgroups above.
result<std::int64_t> sum_of_v1_kills(const std::string& top) {
  TROUPE_TRY(const auto dirs, subtree(top));
  auto sum = std::int64_t{0};
  for (const auto& dir : dirs) {
    const auto kills = field_in(content({dir, false}, "memory.oom_control"),
                                "oom_kill");
    sum += kills > 0 ? kills : 0;
  }
  return sum;
}

/// The cgroups that the container has made: how often their limits were hit,
/// and which the last of them is.
std::pair<std::int64_t, std::string> hits_inside(const account& at) {
  std::pair<std::int64_t, std::string> out{0, {}};
  const auto dirs = subtree(at.directory);
  if (!dirs)
    return out;
  for (auto i = std::size_t{1}; i < dirs->size(); ++i)
    if (const auto hits = hits_of({(*dirs)[i], at.v2}); hits > 0) {
      out.first += hits;
      out.second = (*dirs)[i];
    }
  return out;
}

oom_origin origin_above(const memory_place& of) {
  for (auto path = of.path; path.rfind('/') > 0;) {
    path.erase(path.rfind('/'));
    const account at{of.mount + path, of.at.v2};
    const auto limit = limit_of(at);
    if (limit >= 0 && limit != no_limit && hits_of(at) > 0)
      return {oom_level::parent, path, limit};
  }
  return {oom_level::host, {}, no_limit};
}

} // namespace

std::string_view to_string(oom_level x) noexcept {
  constexpr std::array<std::string_view, 5> names{"unknown", "container",
                                                  "inside", "parent", "host"};
  return names[static_cast<std::size_t>(x)];
}

result<std::int64_t> read_oom_kills(const plan::cgroup& in) {
  const auto at = account_of(in, "memory");
  if (!at)
    return 0;
  if (!at.v2)
    return sum_of_v1_kills(at.directory);
  const auto text = sys::read_file(AT_FDCWD, at.directory + "/memory.events");
  if (text)
    return field_in(*text, "oom_kill");
  // No such file: no such controller, if the cgroup itself is there.
  TROUPE_CHECK(sys::open_file(AT_FDCWD, at.directory, O_PATH));
  return 0;
}

oom_origin origin_of_oom(const plan::cgroup& in, limit_hits& seen) {
  const auto place = place_of_memory(in);
  if (!place.at)
    return {};
  const auto own = hits_of(place.at);
  const auto inside = hits_inside(place.at);
  const auto before = std::exchange(seen, {own, inside.first});
  if (inside.first > before.inside) {
    const account at{inside.second, place.at.v2};
    return {oom_level::inside, inside.second.substr(place.mount.size()),
            limit_of(at)};
  }
  if (own > before.own)
    return {oom_level::container, place.path, limit_of(place.at)};
  return origin_above(place);
}

oom_origin origin_named(const plan::cgroup& in, const std::string& limited) {
  const auto place = place_of_memory(in);
  if (!place.at)
    return {};
  if (limited.empty())
    return {oom_level::host, {}, no_limit};
  // The kernel names it from the hierarchy's root, which we may not see.
  const auto at = limited.rfind(place.path);
  const auto below = at == std::string::npos
                       ? std::string{}
                       : limited.substr(at + place.path.size());
  if (at == std::string::npos)
    return {oom_level::parent, limited,
            limit_of({place.mount + limited, place.at.v2})};
  const auto level = below.empty() ? oom_level::container : oom_level::inside;
  const auto path = place.path + below;
  return {level, path, limit_of({place.mount + path, place.at.v2})};
}

} // namespace troupe::cgroup
