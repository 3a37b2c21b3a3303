#include "runtime/launch/placement.hpp"

#include "runtime/launch/hooks.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc.hpp"
#include "runtime/linux/readable.hpp"
#include "runtime/linux/search_path.hpp"
#include "runtime/linux/user_namespace.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sched.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// Who may not mount a procfs uses the host's.
result<sys::private_proc> open_proc() {
  return ::geteuid() == 0 && sys::in_first_user_namespace()
           ? sys::private_proc::open()
           : sys::private_proc::of_host();
}

/// user_namespaces(7): our own id, alone, needs no privilege.
bool is_own(const std::vector<plan::id_map>& map, std::uint32_t own) {
  return map.size() == 1 && map[0].size == 1 && map[0].host_id == own;
}

/// newuidmap(1): PID, and three numbers for each range.
outcome run_map_program(const std::string& name, const std::string& process,
                        const std::vector<plan::id_map>& map) {
  constexpr auto patience_s = 30;
  const auto path = sys::find_on_path(name);
  if (path.empty())
    return fail_os(ENOENT, "find on PATH, for maps of more than our own id",
                   name);
  auto args = std::vector{name, process};
  for (const auto& x : map)
    for (const auto number : {x.container_id, x.host_id, x.size})
      args.push_back(std::to_string(number));
  return run_hook({path, args, {}, patience_s, ""}, "", "/");
}

outcome write_map(const sys::private_proc& proc, const std::string& process,
                  const std::string& file,
                  const std::vector<plan::id_map>& map) {
  return proc.write(process + "/" + file, id_map_text(map));
}

outcome write_own_maps(const sys::private_proc& proc,
                       const plan::namespaces& in, const std::string& process,
                       progress& at) {
  at = {plan::phase::id_map, 0};
  TROUPE_CHECK(is_own(in.uid_map, ::geteuid())
                 ? write_map(proc, process, "uid_map", in.uid_map)
                 : run_map_program("newuidmap", process, in.uid_map));
  at.index = 1;
  if (!is_own(in.gid_map, ::getegid()))
    return run_map_program("newgidmap", process, in.gid_map);
  // Or else a group could be dropped that keeps its members out of a file.
  TROUPE_CHECK(proc.write(process + "/setgroups", "deny"));
  return write_map(proc, process, "gid_map", in.gid_map);
}

outcome write_maps(const sys::private_proc& proc, const plan::namespaces& in,
                   const std::string& process, progress& at) {
  at = {plan::phase::id_map, 0};
  TROUPE_CHECK(write_map(proc, process, "uid_map", in.uid_map));
  at.index = 1;
  return write_map(proc, process, "gid_map", in.gid_map);
}

} // namespace

std::string id_map_text(const std::vector<plan::id_map>& map) {
  std::string out;
  for (const auto& x : map)
    out += std::to_string(x.container_id) + " " + std::to_string(x.host_id)
           + " " + std::to_string(x.size) + "\n";
  return out;
}

outcome write_placement(const plan::namespaces& in,
                        const std::string& oom_score_adj, pid_t pid,
                        progress& at) {
  const auto new_user = (in.clone_flags & CLONE_NEWUSER) != 0;
  if (!new_user && oom_score_adj.empty())
    return {};
  at = {plan::phase::id_map, 0};
  TROUPE_TRY(const auto proc, open_proc());
  const auto process = std::to_string(pid);
  if (new_user)
    TROUPE_CHECK(in.unprivileged_maps ? write_own_maps(proc, in, process, at)
                                      : write_maps(proc, in, process, at));
  at = {plan::phase::oom_score_adj, 0};
  if (!oom_score_adj.empty())
    TROUPE_CHECK(proc.write(process + "/oom_score_adj", oom_score_adj));
  return {};
}

void kill_and_wait(int pidfd) {
  if (!sys::send_signal(pidfd, SIGKILL))
    return; // ESRCH: dead and reaped already
  (void)sys::wait_readable(pidfd, sys::for_ever);
}

} // namespace troupe::launch
