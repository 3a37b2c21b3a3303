#pragma once

#include "runtime/launch/report.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <chrono>
#include <span>
#include <string>

/// The launcher: short-lived, single-threaded code that carries out one plan
/// from top to bottom. Each function here is the whole life of a process that
/// the shim (or `troupe-oci`) has just forked: it may block, allocate and exit.
///
///   caller (shim)          launcher                      init
///     fork ───────────────▶ decode plan, open host side
///                           cgroup create, writes
///                           clone3(CLONE_PARENT|PIDFD) ─▶ waits for maps
///     ◀── spawned{pid,pidfd}
///                           id maps ───────── "mapped" ─▶ cgroups, namespaces,
///                                                         rootfs, mounts
///                           ◀──────────────── "ready" ───
///                           prestart, createRuntime
///                           ───────────────── "go on" ──▶ createContainer
///                           hooks,
///                                                         pivot_root, masks…
///     ◀── created ───────────────────────────────────────
///                           ◀──────────────── "created" ─
///                           exit 0                        waits on start_fd
///     start packet on start line ───────────────────────▶ startContainer
///     hooks, ◀── failed, or EOF at a successful exec ─────────── user, caps,
///     seccomp,
///                                                         exec
///
/// Init's parent is the caller (CLONE_PARENT), which must reap it by
/// waitid(P_PIDFD, …, __WALL): its exit signal is 0.
namespace troupe::launch {

/// The descriptors that a launch needs from its caller; all of them CLOEXEC.
struct lines {
  /// Launcher's end of the report line (SEQPACKET). EOF at the caller means
  /// that the launcher is gone.
  int report = -1;
  /// Init's end of the start line (SEQPACKET), or a listening socket on which
  /// init accepts it, once: for a caller that ends before the start, as
  /// `troupe-oci create` does. The caller sends one byte to
  /// start; init reports a failed start on it; EOF without a report at the
  /// caller, after the start packet, means that exec succeeded.
  int start = -1;
  int stdin_fd = -1; ///< -1: /dev/null
  int stdout_fd = -1;
  int stderr_fd = -1;
  /// A connected unix stream socket that gets the master of a new pseudo
  /// terminal by SCM_RIGHTS; needed if process.terminal, else -1.
  int console = -1;
  /// So many descriptors from 3 on stay open in the program.
  int preserve_fds = 0;
};

struct spare;

/// Creates a container. Returns the launcher's exit code; init never returns
/// from it. Nothing is left behind when it fails: cgroups are removed and init
/// is dead. `own` is what the launcher has made before (spare.hpp).
[[nodiscard]] int run_create(const plan::launch_plan& plan, const lines& with,
                             spare& own);
[[nodiscard]] int run_create(const plan::launch_plan& plan, const lines& with);

/// How long either phase of a session may take. It runs no hooks and waits for
/// nobody; but the container sees its process, and can stop it.
inline constexpr std::chrono::seconds session_patience{20};

/// Starts a further process inside a running container; `target` is the pidfd
/// of the container's init. Same two phases, the first within `patience`; -1:
/// the container is paused, and that is known.
[[nodiscard]] int
run_exec(const plan::exec_plan& plan, const lines& with, int target,
         std::chrono::milliseconds patience = session_patience);

/// Cleans up after a container whose init is dead: kills what is left in its
/// cgroups, removes them, and then runs the poststop hooks (failures are
/// reported as warnings; the rest still runs).
[[nodiscard]] int run_teardown(const plan::launch_plan& plan, int report_line);

/// Runs the poststart hooks of a started container.
[[nodiscard]] int run_poststart(const plan::launch_plan& plan, int report_line,
                                pid_t pid);

/// The OCI state document that hooks get on stdin (runtime.md, "State").
[[nodiscard]] std::string state_document(const plan::launch_plan& plan,
                                         std::string_view status, pid_t pid);

} // namespace troupe::launch
