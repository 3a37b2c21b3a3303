#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <sys/types.h>
#include <utility>

/// troupe-scope: a program of its own, because libsystemd cannot be linked into
/// a static launcher, and because a scope needs a process to begin with.
namespace troupe::cgroup {

/// The process that keeps a new scope until init is in it. Ends, and is waited
/// for, with this.
class scope_holder {
public:
  scope_holder() = default;
  scope_holder(pid_t pid, sys::unique_fd line) noexcept
    : pid_(pid), line_(std::move(line)) {
  }
  scope_holder(scope_holder&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), line_(std::move(other.line_)) {
  }
  scope_holder& operator=(scope_holder&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(line_, other.line_);
    return *this;
  }
  ~scope_holder();

  /// In a child, whose process it is not.
  void leave() noexcept {
    pid_ = -1;
    line_.reset();
  }

private:
  pid_t pid_ = -1;
  sys::unique_fd line_;
};

/// Has systemd make the scope of `in`, with its limits and with the helper in
/// it; nothing if it has none. BLOCKS until it is there. Failures are systemd's
/// own words.
[[nodiscard]] result<scope_holder> start_scope(const plan::cgroup& in);

/// Tells systemd of the limits of a scope that is there. BLOCKS.
[[nodiscard]] outcome update_scope(const plan::cgroup& in);

} // namespace troupe::cgroup
