#include "runtime/cgroup/session.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace troupe::cgroup {

namespace {

const plan::cgroup_dir* best_of(const plan::cgroup& container) {
  constexpr std::array wanted{"", "freezer", "pids"}; // "": v2
  for (const std::string_view controller : wanted)
    for (const auto& dir : container.dirs)
      if (dir.controller == controller)
        return &dir;
  return nullptr;
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::unique_ptr<control> control_of(const plan::cgroup_dir& dir) {
  plan::cgroup only;
  only.mode = is_v2(dir) ? plan::cgroup_mode::v2 : plan::cgroup_mode::v1;
  only.dirs.push_back(dir);
  return open_control(std::move(only));
}

/// Moves what is in and below `path` to its parent.
outcome move_out(const std::string& path) {
  const auto procs = parent_of(path) + "/cgroup.procs";
  auto done = std::set<pid_t>{};
  return each_below(path, done, [&](pid_t pid, int) {
    return sys::write_file(AT_FDCWD, procs, std::to_string(pid));
  });
}

/// A directory that is gone is what was wanted.
outcome unless_gone(outcome done) {
  const auto gone = !done
                    && (done.error().code == fault::not_found
                        || done.error().os_errno == ENODEV);
  return gone ? outcome{} : done;
}

} // namespace

std::optional<plan::cgroup_dir> session_dir(const plan::cgroup& container,
                                            const std::string& session) {
  const auto* best = best_of(container);
  if (best == nullptr)
    return {};
  auto out = *best;
  out.path += "/exec-" + session;
  return out;
}

outcome make_session(const plan::cgroup_dir& dir, plan::cgroup& plan) {
  const auto parent = std::ranges::find_if(plan.dirs, [&](const auto& each) {
    return each.controller == dir.controller
           && each.path == parent_of(dir.path);
  });
  if (parent == plan.dirs.end())
    return fail(fault::not_found, "cgroup " + dir.path + ": no parent");
  const auto path = directory_of(dir);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  *parent = dir;
  return {};
}

// Frozen, nothing in it can fork meanwhile; in v2 the kernel sees to that.
outcome kill_session(const plan::cgroup_dir& dir) {
  const auto all = control_of(dir);
  if (is_v2(dir))
    return unless_gone(all->signal_all(SIGKILL));
  static_cast<void>(all->freeze());
  auto killed = all->signal_all(SIGKILL);
  static_cast<void>(all->thaw());
  return unless_gone(std::move(killed));
}

// What the session has made inside goes with it.
outcome remove_session(const plan::cgroup_dir& dir) {
  const auto path = directory_of(dir);
  if (const auto error = remove_tree(path); error != 0)
    return fail_os(error, "rmdir", path);
  return {};
}

outcome dissolve_session(const plan::cgroup_dir& dir) {
  const auto path = directory_of(dir);
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT)
    return {};
  const auto all = control_of(dir);
  static_cast<void>(all->freeze()); // Nothing forks or ends meanwhile.
  auto moved = move_out(path);
  static_cast<void>(all->thaw());
  TROUPE_CHECK(std::move(moved));
  return remove_session(dir);
}

} // namespace troupe::cgroup
