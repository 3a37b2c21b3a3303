#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/namespaces.hpp"

namespace troupe::launch {

/// Makes init, a sibling of the launcher, in the plan's new namespaces (all but
/// the cgroup namespace, whose root is where its maker is: init unshares it
/// once it is in its cgroups; and those of `made`, which the launcher is in)
/// and in the joined ones. `cgroup` as in clone_process.
///
/// A process cannot come back from every namespace that it enters. So where
/// there is something to join, the launcher first forks: the fork returns from
/// here as the launcher, still in the host's namespaces, while the original
/// process enters, makes init, and only waits to exit as its fork does.
[[nodiscard]] result<sys::cloned>
spawn(const plan::namespaces& in, std::uint64_t made, int cgroup, progress& at);

} // namespace troupe::launch
