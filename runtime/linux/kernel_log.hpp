#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

/// What the kernel says about its OOM kills, /dev/kmsg
/// (Documentation/ABI/testing/dev-kmsg). It is the only one who tells the
/// victim; it says so at most ten times in five seconds.
namespace troupe::sys {

struct oom_report {
  /// The cgroup whose limit was hit, from the root of its hierarchy; "": the
  /// host ran out.
  std::string limited;
  std::string cgroup; ///< The victim's.
  pid_t pid = 0;      ///< In the initial pid namespace.
  std::string command;
  friend bool operator==(const oom_report&, const oom_report&) = default;
};

/// The report in a record of /dev/kmsg, if it is one (Linux 4.19: a line
/// "oom-kill:constraint=...").
[[nodiscard]] std::optional<oom_report>
parse_oom_report(std::string_view record);

/// Whether the pids of the kernel's log are ours.
[[nodiscard]] bool in_initial_pid_namespace();

/// Reads the kernel's log from now on; nothing is read before somebody asks.
/// Any thread may.
class kernel_log {
public:
  [[nodiscard]] static result<std::unique_ptr<kernel_log>> open();

  /// The oldest report of a victim in `cgroup` or below it that was not given
  /// yet. `cgroup` is a path below the hierarchy's root as it is seen here.
  [[nodiscard]] std::optional<oom_report> take_oom(std::string_view cgroup);

private:
  explicit kernel_log(unique_fd fd) : fd_(std::move(fd)) {
  }

  void read_all();

  /// Reports that nobody asks for are of others than our containers.
  static constexpr std::size_t kept_reports = 1024;

  unique_fd fd_;
  std::mutex guard_;
  std::deque<oom_report> reports_;
};

} // namespace troupe::sys
