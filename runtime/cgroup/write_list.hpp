#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How the pure half collects writes: one call per limit, with its form in
/// both versions of cgroups side by side.
namespace troupe::cgroup {

/// A controller by its v1 name, and what v2 calls it.
struct controller_row {
  std::string_view v1;
  std::string_view v2; ///< "" where v2 needs no controller or has none.
  bool joined_v1;      ///< By every container; else only if the spec limits it.
  bool enabled_v2;     ///< The same, v2.
};

inline constexpr controller_row controllers[] = {
  {"cpu", "cpu", true, true},           {"cpuacct", "", true, false},
  {"memory", "memory", true, true},     {"pids", "pids", true, true},
  {"freezer", "", true, false},         {"devices", "", true, false},
  {"blkio", "io", true, true},          {"cpuset", "cpuset", true, false},
  {"hugetlb", "hugetlb", false, false}, {"rdma", "rdma", false, false},
  {"net_cls", "", false, false},        {"net_prio", "", false, false},
  {"name=systemd", "", true, false}, // no controller: a systemd inside needs it
};

/// True if `list`, separated by `separator`, contains `item`.
[[nodiscard]] bool has_item(std::string_view list, char separator,
                            std::string_view item) noexcept;

/// Where a limit is to be written.
struct place {
  std::uint32_t dir = 0; ///< Index into `plan::cgroup::dirs`.
  bool v2 = false;
  friend bool operator==(const place&, const place&) = default;
};

/// The place of a controller (v1 name): its v1 hierarchy, else the v2 hierarchy
/// if the plan enables it there.
[[nodiscard]] std::optional<place> place_of(const plan::cgroup& in,
                                            std::string_view controller);

/// The same thing in cgroup v1 and v2. As a file: "" where that version lacks
/// it; "a|b" is whichever exists, with "x|y" as their values.
struct by_version {
  std::string v1;
  std::string v2;
};

/// One text for both versions.
[[nodiscard]] inline by_version both(const std::string& text) {
  return {text, text};
}

class write_list {
public:
  explicit write_list(const plan::cgroup& in) : in_(in) {
  }

  /// Adds a write, or fails as `unsupported`, naming `pointer` below
  /// /linux/resources/ and the value, if this host has no place for it.
  [[nodiscard]] outcome put(std::string_view controller, const by_version& file,
                            const by_version& value, std::string_view pointer);

  /// Adds a write to an own file of the v2 hierarchy.
  [[nodiscard]] outcome put_unified(const std::string& file,
                                    const std::string& value);

  [[nodiscard]] const plan::cgroup& in() const noexcept {
    return in_;
  }

  [[nodiscard]] std::vector<plan::cgroup_write> take() && {
    return std::move(writes_);
  }

private:
  const plan::cgroup& in_;
  std::vector<plan::cgroup_write> writes_;
};

} // namespace troupe::cgroup
