#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/cgroup/write_list.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Between two looks: what is killed is mostly gone within the first.
constexpr auto first_wait = milliseconds{1};
constexpr auto longest_wait = milliseconds{50};

struct leftover {
  std::uint32_t index;
  const plan::cgroup_dir* dir;
  int os_errno;
};

using leftovers = std::vector<leftover>;

/// Removes what can be removed of `left`; the rest stays in it.
void remove_trees(leftovers& left) {
  for (auto& each : left)
    each.os_errno = remove_tree(directory_of(*each.dir));
  std::erase_if(left, [](const auto& each) { return each.os_errno == 0; });
}

const leftover* find_v2(const leftovers& left) {
  const auto found = std::ranges::find_if(
    left, [](const auto& each) { return is_v2(*each.dir); });
  return found == left.end() ? nullptr : &*found;
}

void set_freezer(const leftovers& left, std::string_view state) {
  for (const auto& each : left) {
    if (!has_item(each.dir->controller, ',', "freezer"))
      continue;
    const auto dirs = subtree(directory_of(*each.dir));
    for (const auto& dir : dirs.value_or(std::vector<std::string>{}))
      static_cast<void>(
        sys::write_file_raw(AT_FDCWD, (dir + "/freezer.state").c_str(), state));
  }
}

/// cgroup.kill (Linux 5.14) leaves no race; true if it did it.
bool kill_at_once(const leftovers& left) {
  const auto* const v2 = find_v2(left);
  if (!v2)
    return false;
  const auto file = directory_of(*v2->dir) + "/cgroup.kill";
  return sys::write_file_raw(AT_FDCWD, file.c_str(), "1") == 0;
}

/// SIGKILL to everything. Without cgroup.kill, frozen meanwhile: what is frozen
/// doesn't fork. Thawed afterwards, whoever froze it: a frozen v1 task does not
/// die. What fails here shows as EBUSY of the next rmdir.
void kill_processes(const leftovers& left, bool first_time) {
  const auto killed = kill_at_once(left);
  if (!killed)
    set_freezer(left, "FROZEN");
  if (!killed || !first_time) {
    auto done = std::set<pid_t>{};
    for (const auto& each : left)
      static_cast<void>(signal_below(directory_of(*each.dir), SIGKILL, done));
  }
  set_freezer(left, "THAWED");
}

/// Until the v2 cgroup reports a change or `at_most` is over.
void wait_for_change(const leftovers& left, milliseconds at_most) {
  auto events = pollfd{-1, POLLPRI, 0};
  auto file = sys::unique_fd{};
  if (const auto* const v2 = find_v2(left)) {
    auto opened = sys::open_file(
      AT_FDCWD, directory_of(*v2->dir) + "/cgroup.events", O_RDONLY);
    char text[128] = {};
    if (opened && ::read(opened->get(), text, sizeof text - 1) > 0
        && field_of(text, "populated") == "1") {
      file = *std::move(opened);
      events.fd = file.get();
    }
  }
  ::poll(&events, 1, static_cast<int>(at_most.count()));
}

/// The directories of `in`, or the one that must not be removed: a hierarchy's
/// root.
tl::expected<leftovers, step_failure> all_of(const plan::cgroup& in) {
  auto out = leftovers{};
  for (auto i = std::uint32_t{0}; i < in.dirs.size(); ++i) {
    if (in.dirs[i].path.find_first_not_of('/') == std::string::npos)
      return tl::unexpected<step_failure>{
        {plan::phase::cgroup_remove, i, EINVAL, directory_of(in.dirs[i])}};
    out.push_back({i, &in.dirs[i], 0});
  }
  return out;
}

/// EBUSY can pass; anything else will not.
bool worth_waiting(const leftovers& left) {
  return std::ranges::all_of(
    left, [](const auto& each) { return each.os_errno == EBUSY; });
}

step_failure describe(const leftover& left) {
  auto path = directory_of(*left.dir);
  const auto inside = processes_below(path);
  const auto phase = inside && !inside->empty() ? plan::phase::cgroup_kill
                                                : plan::phase::cgroup_remove;
  return {phase, left.index, left.os_errno, std::move(path)};
}

} // namespace

tl::expected<void, step_failure> remove(const plan::cgroup& in,
                                        milliseconds patience) {
  const auto deadline = clock::now() + patience;
  auto found = all_of(in);
  if (!found)
    return tl::unexpected<step_failure>{std::move(found).error()};
  auto& left = *found;
  auto first_time = true;
  auto wait = first_wait;
  for (remove_trees(left); !left.empty(); remove_trees(left)) {
    if (clock::now() >= deadline || !worth_waiting(left))
      return tl::unexpected<step_failure>{describe(left.front())};
    kill_processes(left, std::exchange(first_time, false));
    wait_for_change(left, wait);
    wait = std::min(wait * 2, longest_wait);
  }
  return {};
}

bool remove_if_empty(const plan::cgroup& in) {
  const auto all = all_of(in);
  if (!all)
    return false;
  auto whole = true;
  for (const auto& each : *all)
    if (::rmdir(directory_of(*each.dir).c_str()) != 0 && errno != ENOENT)
      whole = false;
  return whole;
}

void remove_parent(const plan::cgroup& in, const std::string& path) noexcept {
  for (const auto& dir : in.dirs)
    for (auto rest = path; rest.size() > 1;
         rest.resize(std::min(rest.rfind('/'), rest.size())))
      if (::rmdir((dir.mount + rest).c_str()) != 0 && errno != ENOENT)
        break;
}

} // namespace troupe::cgroup
