#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <utility>

/// troupe-scope: a program of its own, because libsystemd cannot be linked into
/// a static launcher, and because a scope needs a process to begin with.
namespace troupe::cgroup {

/// The process that keeps a new scope until init is in it. Ends, and is waited
/// for, with this.
class scope_holder {
public:
  scope_holder() = default;
  scope_holder(sys::unique_fd process, sys::unique_fd line) noexcept
    : process_(std::move(process)), line_(std::move(line)) {
  }
  scope_holder(scope_holder&&) noexcept = default;
  scope_holder& operator=(scope_holder&&) = delete;
  ~scope_holder();

  /// In a child, whose process it is not.
  void leave() noexcept {
    process_.reset();
    line_.reset();
  }

private:
  sys::unique_fd process_; ///< A pidfd.
  sys::unique_fd line_;
};

/// Has systemd make the scope of `in`, with its limits and with the helper in
/// it; nothing if it has none. BLOCKS until it is there. Failures are systemd's
/// own words.
[[nodiscard]] result<scope_holder> start_scope(const plan::cgroup& in);

/// Tells systemd of the limits of a scope that is there. BLOCKS.
[[nodiscard]] outcome update_scope(const plan::cgroup& in);

} // namespace troupe::cgroup
