#pragma once

#include "config/base/result.hpp"
#include "runtime/cgroup/oom.hpp"
#include "runtime/cgroup/stats.hpp"
#include "runtime/linux/kernel_log.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// The impure half of cgroups: v1, v2 and the hybrid of both behind one
/// interface. Nothing here blocks for longer than a few kernel calls, except
/// `remove`, which says so. Sources: cgroups(7), kernel
/// Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst.
namespace troupe::cgroup {

// -- launcher: making and entering --------------------------------------------

/// Where a step failed: an index into `dirs` or `writes`.
struct step_failure {
  plan::phase phase = plan::phase::cgroup_create;
  std::uint32_t index = 0;
  int os_errno = 0;
  std::string path;
};

/// Makes the directories (parents too) and writes the limits. A container's own
/// directory that already exists and has processes is EBUSY; an empty one is
/// taken over. On failure, removes what it made.
[[nodiscard]] tl::expected<void, step_failure> create(const plan::cgroup& in);

/// Writes the limits of `in` to directories that exist: an update of a living
/// container. Stops at the first that the kernel refuses.
[[nodiscard]] tl::expected<void, step_failure> apply(const plan::cgroup& in);

/// Hands the controllers of `in` down to its v2 directory, where they are not
/// yet: what a living container needs from now on.
[[nodiscard]] tl::expected<void, step_failure> enable(const plan::cgroup& in);

/// What a child needs to enter the cgroups, opened by the launcher before
/// clone3: the v2 directory for CLONE_INTO_CGROUP and each v1 `tasks` file,
/// into which the child writes "0" right after clone (cheaper than
/// cgroup.procs, see linux.md).
struct entrance {
  sys::unique_fd v2_dir; ///< Invalid where there is no v2 hierarchy.
  std::vector<sys::unique_fd> v1_tasks; ///< In the order of the v1 dirs.
};

[[nodiscard]] tl::expected<entrance, step_failure>
open_entrance(const plan::cgroup& in);

/// In the child, right after clone: enters every v1 cgroup. Returns the index
/// and errno of the first failure; allocates nothing.
[[nodiscard]] tl::expected<void, step_failure>
enter_v1(const entrance& through) noexcept;

/// Kills every process in the cgroup, waits (bounded by `patience`) until it is
/// empty, and removes its directories, sub-cgroups made inside first. Thaws
/// before. Removing what is not there is success. BLOCKS: launcher only. Does
/// not touch parents; see `remove_parent`.
[[nodiscard]] tl::expected<void, step_failure>
remove(const plan::cgroup& in, std::chrono::milliseconds patience);

/// The same without a kill, a wait, or a look at what the container has made
/// inside, which may be any number of sub-cgroups: false if something is left.
[[nodiscard]] bool remove_if_empty(const plan::cgroup& in);

/// Removes the (empty) directories of `path` in every hierarchy of `in`, from
/// the leaf up to but not including the hierarchy's root, stopping at the first
/// that is in use. For the supervisor's own cgroup parent at shutdown.
void remove_parent(const plan::cgroup& in, const std::string& path) noexcept;

// -- supervisor: looking and controlling --------------------------------------

enum class freeze_state : std::uint8_t { thawed, freezing, frozen };

/// A live container's cgroup. Stateless but for paths; every call opens, does
/// and closes.
class control {
public:
  control() = default;
  control(const control&) = delete;
  control& operator=(const control&) = delete;
  virtual ~control() = default;

  /// Asks the kernel to freeze (thaw); whether it has is `state`'s answer.
  [[nodiscard]] virtual outcome freeze() = 0;
  [[nodiscard]] virtual outcome thaw() = 0;
  [[nodiscard]] virtual result<freeze_state> state() = 0;

  /// Pids (in the reader's pid namespace) in this cgroup and below it.
  [[nodiscard]] virtual result<std::vector<pid_t>> processes() = 0;

  /// Signals every process: SIGKILL by cgroup.kill where there is one, else by
  /// pidfd, repeated until no new process shows up (bounded).
  [[nodiscard]] virtual outcome signal_all(int signo) = 0;

  [[nodiscard]] virtual result<stats> read() = 0;

  /// OOM kills so far, sub-cgroups included; the count that matters for
  /// `oom_killed`. 0 where the host has no memory controller.
  [[nodiscard]] virtual result<std::int64_t> oom_kills() = 0;

  /// Where the kill that was just counted came from: what the kernel's log
  /// says, if it was found there, or what has risen since the last question.
  [[nodiscard]] virtual oom_origin origin_of_oom(const sys::oom_report* told)
    = 0;

  /// The newest report on a victim of this cgroup in the kernel's log.
  [[nodiscard]] virtual std::optional<sys::oom_report>
  take_oom(sys::kernel_log& from) = 0;

  /// v2: the file whose change tells that an OOM may have happened, for who
  /// watches many (file_watches.hpp). "" elsewhere.
  [[nodiscard]] virtual std::string oom_file() = 0;

  /// A descriptor that becomes readable (v1: eventfd on memory.oom_control;
  /// EPOLLIN) or priority-readable (v2: memory.events; EPOLLPRI) when an OOM
  /// may have happened. Invalid where the host has no memory controller.
  struct oom_notice {
    sys::unique_fd fd;
    std::uint32_t epoll_events = 0;
  };
  [[nodiscard]] virtual result<oom_notice> watch_oom() = 0;

  /// Removes the directories, unless a process lives in one or something else
  /// is in the way: then false, and `remove` is for the rest.
  [[nodiscard]] virtual bool remove_if_empty() = 0;
};

/// After a notice: makes its descriptor ready for the next one. Without it,
/// level-triggered epoll reports the same notice for ever.
void rearm(const control::oom_notice& notice) noexcept;

/// The control of the cgroup that `in` describes.
[[nodiscard]] std::unique_ptr<control> open_control(plan::cgroup in);

} // namespace troupe::cgroup
