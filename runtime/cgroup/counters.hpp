#pragma once

#include "runtime/cgroup/cgroup.hpp"

#include <string>

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

/// Every counter that the directories of `in` have.
[[nodiscard]] counters read_counters(const plan::cgroup& in);

/// `control::oom_kills`.
[[nodiscard]] result<std::int64_t> read_oom_kills(const plan::cgroup& in);

} // namespace troupe::cgroup
