#include "runtime/linux/user_namespace.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"

#include <cerrno>
#include <cstdio>
#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

result<unique_fd> map_and_open(pid_t pid, const std::string& uid_map,
                               const std::string& gid_map) {
  TROUPE_TRY(const auto proc, private_proc::open());
  const auto process = std::to_string(pid);
  TROUPE_CHECK(proc.write(process + "/uid_map", uid_map));
  TROUPE_CHECK(proc.write(process + "/gid_map", gid_map));
  return proc.namespace_of(pid, "user");
}

/// In the child: keeps the namespace in being until its maker lets go of the
/// pipe, or is dead.
[[noreturn]] void hold(int pipe) {
  char byte = 0;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  ::_exit(0);
}

} // namespace

result<unique_fd> make_user_namespace(const std::string& uid_map,
                                      const std::string& gid_map) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  unique_fd kept{ends[0]};
  unique_fd held{ends[1]};
  TROUPE_TRY(const auto child,
             clone_process(parentage::own, CLONE_NEWUSER, -1));
  if (child.pid == 0) {
    held.reset();
    hold(kept.get());
  }
  auto made = map_and_open(child.pid, uid_map, gid_map);
  held.reset();
  TROUPE_TRY([[maybe_unused]] const auto ended,
             wait_for_exit(child.pidfd.get()));
  return made;
}

bool in_first_user_namespace() {
  const auto map = read_file(AT_FDCWD, "/proc/self/uid_map");
  if (!map)
    return true;
  // Not a stream: its locale would cost a launch more than the rest of this.
  auto inside = 1U;
  auto outside = 1U;
  auto count = 0U;
  return std::sscanf(map->c_str(), "%u %u %u", &inside, &outside, &count) == 3
         && inside == 0 && outside == 0 && count == ~0U;
}

} // namespace troupe::sys
