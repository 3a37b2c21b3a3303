#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <optional>
#include <string>

/// The cgroup of an exec session, below its container's in one hierarchy: so
/// that all that the session has started can be found, whoever its parent is by
/// now. It limits nothing.
namespace troupe::cgroup {

/// Where it is: in v2, which can kill at once, else in the freezer's hierarchy,
/// else in that of pids; the others would share out the container's limits
/// anew. Nothing: this container's cgroups allow none.
[[nodiscard]] std::optional<plan::cgroup_dir>
session_dir(const plan::cgroup& container, const std::string& session);

/// Makes it, and has `plan` enter it in the place of its parent.
[[nodiscard]] outcome make_session(const plan::cgroup_dir& dir,
                                   plan::cgroup& plan);

/// SIGKILL to every process in it.
[[nodiscard]] outcome kill_session(const plan::cgroup_dir& dir);

/// Removes it once everything in it is dead. EBUSY: not yet.
[[nodiscard]] outcome remove_session(const plan::cgroup_dir& dir);

/// Removes it, and sends what still runs in it to the container's own cgroup.
/// EBUSY: a process is just dying; to be tried again. One that is not there is
/// success.
[[nodiscard]] outcome dissolve_session(const plan::cgroup_dir& dir);

} // namespace troupe::cgroup
