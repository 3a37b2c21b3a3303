#include "runtime/launch/placement.hpp"

#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sched.h>

namespace troupe::launch {

namespace {

std::string map_text(const std::vector<plan::id_map>& map) {
  std::string out;
  for (const auto& x : map)
    out += std::to_string(x.container_id) + " " + std::to_string(x.host_id)
           + " " + std::to_string(x.size) + "\n";
  return out;
}

} // namespace

outcome write_placement(const plan::namespaces& in,
                        const std::string& oom_score_adj, pid_t pid,
                        progress& at) {
  const auto new_user = (in.clone_flags & CLONE_NEWUSER) != 0;
  if (!new_user && oom_score_adj.empty())
    return {};
  at = {plan::phase::id_map, 0};
  TROUPE_TRY(const auto proc, sys::private_proc::open());
  const auto process = std::to_string(pid);
  if (new_user) {
    TROUPE_CHECK(proc.write(process + "/uid_map", map_text(in.uid_map)));
    at.index = 1;
    TROUPE_CHECK(proc.write(process + "/gid_map", map_text(in.gid_map)));
  }
  at = {plan::phase::oom_score_adj, 0};
  if (!oom_score_adj.empty())
    TROUPE_CHECK(proc.write(process + "/oom_score_adj", oom_score_adj));
  return {};
}

void kill_and_wait(int pidfd) {
  if (!sys::send_signal(pidfd, SIGKILL))
    return; // ESRCH: dead and reaped already
  auto dead = pollfd{pidfd, POLLIN, 0};
  while (::poll(&dead, 1, -1) < 0 && errno == EINTR) {
  }
}

} // namespace troupe::launch
