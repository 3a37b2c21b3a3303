#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/proc.hpp"

#include <string>
#include <sys/types.h>

/// What only the host's side may do to a process that it has just made.
namespace troupe::launch {

/// A map as /proc/PID/uid_map takes it.
[[nodiscard]] std::string id_map_text(const std::vector<plan::id_map>& map);

/// Writes the id maps of a new user namespace and the OOM score of `pid`. The
/// score is written here because init, non-dumpable and in a user namespace,
/// may not write its own. For an ordinary user, maps of more than their own id
/// go through newuidmap(1) and newgidmap(1), found on PATH.
[[nodiscard]] outcome write_placement(const plan::namespaces& in,
                                      const std::string& oom_score_adj,
                                      pid_t pid, progress& at);

/// For a caller that is no longer on the host's side when it has the pid: the
/// procfs, while it is, and then the score alone.
[[nodiscard]] result<sys::private_proc> open_placement_proc();
[[nodiscard]] outcome write_oom_score(const sys::private_proc& proc,
                                      const std::string& value, pid_t pid,
                                      progress& at);

/// Kills the process and waits until it is dead; its parent reaps it.
void kill_and_wait(int pidfd);

} // namespace troupe::launch
