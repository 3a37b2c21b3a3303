#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// Making processes and moving between namespaces: clone3(2), setns(2),
/// unshare(2), user_namespaces(7).
namespace troupe::sys {

/// Both sides of a clone: in the child `pid` is 0 and `pidfd` invalid.
struct cloned {
  pid_t pid = 0;
  unique_fd pidfd;
};

/// Whose child the new process is.
enum class parentage {
  own,     ///< The caller's; its exit signal is SIGCHLD.
  sibling, ///< The caller's parent's (CLONE_PARENT); it has no exit signal and
           ///< is reaped with __WALL.
};

/// fork(2) with `flags` (CLONE_NEW*), a pidfd, and, if `cgroup` >= 0, straight
/// into that v2 cgroup directory (Linux 5.7). For single-threaded processes:
/// no atfork handler runs.
[[nodiscard]] result<cloned> clone_process(parentage parent,
                                           std::uint64_t flags, int cgroup);

/// setns(2); `fd` is a namespace or a pidfd.
[[nodiscard]] outcome enter_namespace(int fd, std::uint64_t flags,
                                      std::string_view subject);

/// unshare(2).
[[nodiscard]] outcome unshare_namespaces(std::uint64_t flags,
                                         std::string_view subject);

/// Sets groups, gid and uid of this thread alone. libc's functions would tell
/// every thread, by signals and futexes that a seccomp filter may forbid, and
/// here nobody but this thread goes on to execve(2). Where setgroups(2) is
/// denied (an ordinary user's gid map forbids it for good in the user
/// namespace, user_namespaces(7)) to ask for no groups is no failure: those of
/// the caller stay, unmapped.
[[nodiscard]] outcome set_ids(std::span<const std::uint32_t> groups, gid_t gid,
                              uid_t uid);

/// Becomes user 0 and group 0, without supplementary groups, of the current
/// user namespace.
[[nodiscard]] outcome become_root();

} // namespace troupe::sys
