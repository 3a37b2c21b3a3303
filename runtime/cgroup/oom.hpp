#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Who ran out of memory: cgroup-v2.rst (memory.events),
/// cgroup-v1/memory.rst (memory.oom_control, memory.failcnt).
namespace troupe::cgroup {

/// OOM kills so far in the cgroups of `in` and below; 0 where the host has no
/// memory controller.
[[nodiscard]] result<std::int64_t> read_oom_kills(const plan::cgroup& in);

/// Whose limit was hit.
enum class oom_level : std::uint8_t {
  unknown,
  container, ///< Its own.
  inside,    ///< That of a cgroup which it has made itself.
  parent,    ///< That of a cgroup above it.
  host,      ///< None: the host has no memory left.
};

[[nodiscard]] std::string_view to_string(oom_level x) noexcept;

struct oom_origin {
  oom_level level = oom_level::unknown;
  std::string cgroup;      ///< Below the hierarchy's root; "" for the host.
  std::int64_t limit = -1; ///< Bytes.
};

/// How often limits were hit when somebody looked last.
struct limit_hits {
  std::int64_t own = 0;
  std::int64_t inside = 0;
};

/// Where a kill that was just counted came from, from what has risen since
/// `seen`, which is brought up to date.
[[nodiscard]] oom_origin origin_of_oom(const plan::cgroup& in,
                                       limit_hits& seen);

/// The same for the cgroup that the kernel's log names, "" for the host.
[[nodiscard]] oom_origin origin_named(const plan::cgroup& in,
                                      const std::string& limited);

} // namespace troupe::cgroup
