#pragma once

#include "runtime/cgroup/stats.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Where a container's use is counted, and what is written there.
namespace troupe::cgroup {

/// The directory that accounts for `controller` (v1 name): its v1 hierarchy's,
/// else the v2 one; "" if there is neither.
struct account {
  std::string directory;
  bool v2 = false;

  explicit operator bool() const noexcept {
    return !directory.empty();
  }
};

[[nodiscard]] account account_of(const plan::cgroup& in,
                                 std::string_view controller);

/// A whole file of `at`; "" where it has none.
[[nodiscard]] std::string content(const account& at, const std::string& file);

/// The number in a file of `at`; -1 where it has none.
[[nodiscard]] std::int64_t number_in(const account& at,
                                     const std::string& file);

/// Every counter that the directories of `in` have.
[[nodiscard]] stats read_stats(const plan::cgroup& in);

} // namespace troupe::cgroup
