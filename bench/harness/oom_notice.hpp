#pragma once

#include "config/base/result.hpp"
#include "runtime/cgroup/cgroup.hpp"

#include <cstdint>
#include <string>

namespace troupe::bench {

/// What the kernel says of a cgroup that runs out of memory, as a program hears
/// it that does nothing else.
class oom_notice {
public:
  /// `path`: in every hierarchy.
  [[nodiscard]] static result<oom_notice> open(const std::string& path);

  /// The moment at which it is heard.
  [[nodiscard]] result<std::int64_t> wait() const;

private:
  explicit oom_notice(cgroup::control::oom_notice notice)
    : notice_(std::move(notice)) {
  }

  cgroup::control::oom_notice notice_;
};

} // namespace troupe::bench
