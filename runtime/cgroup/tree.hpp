#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <functional>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

/// A cgroup directory and those that the container made below it.
namespace troupe::cgroup {

/// Absolute, on the host.
[[nodiscard]] std::string directory_of(const plan::cgroup_dir& dir);

/// True for the directory in the v2 hierarchy.
[[nodiscard]] bool is_v2(const plan::cgroup_dir& dir) noexcept;

/// `top` and every directory below it, parents before their children.
[[nodiscard]] result<std::vector<std::string>> subtree(const std::string& top);

/// The names in directory `of` that are of `type` (DT_DIR, DT_REG: readdir(3)).
[[nodiscard]] result<std::vector<std::string>> entries(const std::string& of,
                                                       unsigned char type);

/// The processes in `top` and below, ascending. Those outside the reader's pid
/// namespace have no pid here and are not listed.
[[nodiscard]] result<std::vector<pid_t>>
processes_below(const std::string& top);

/// What is done to one process, of which there is a pidfd.
using process_action = std::function<outcome(pid_t pid, int pidfd)>;

/// `act` on the processes in and below `top` that are not in `done`, and adds
/// them to it; again until none is new. Each is pinned by a pidfd and then seen
/// in the cgroup once more, so that a recycled pid is never hit. One that is
/// gone by now (ESRCH) is passed by; any other failure ends it.
[[nodiscard]] outcome each_below(const std::string& top, std::set<pid_t>& done,
                                 const process_action& act);

/// Signals them.
[[nodiscard]] outcome signal_below(const std::string& top, int signo,
                                   std::set<pid_t>& done);

/// rmdir(2) of `top` and what is below it: 0, also where it is not there, or
/// the errno, such as EBUSY while a process is in one.
[[nodiscard]] int remove_tree(const std::string& top);

/// The value of `key` in a file of "key value" lines; "" if it has none.
[[nodiscard]] std::string_view field_of(std::string_view text,
                                        std::string_view key) noexcept;

} // namespace troupe::cgroup
