#include "runtime/cgroup/update.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/scope_helper.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/cgroup/write_list.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cerrno>

namespace troupe::cgroup {

namespace {

failure as_failure(const step_failure& why,
                   const std::vector<plan::cgroup_write>& writes) {
  auto out = os_failure(why.os_errno, "write", why.path);
  return why.phase == plan::phase::cgroup_write && why.index < writes.size()
           ? std::move(out).during(writes[why.index].origin)
           : out;
}

/// "+cpu +memory" and "+memory +cpuset" together.
std::string joined_controllers(std::string all, std::string_view more) {
  while (!more.empty()) {
    const auto size = std::min(more.find(' '), more.size());
    if (!has_item(all, ' ', more.substr(0, size)))
      all.append(all.empty() ? "" : " ").append(more.substr(0, size));
    more.remove_prefix(std::min(size + 1, more.size()));
  }
  return all;
}

/// Moves every process of the container into `dirs`, until none is new.
outcome move_in(const plan::cgroup& now,
                const std::vector<plan::cgroup_dir>& dirs) {
  const auto control = open_control(now);
  for (std::size_t moved = 0;;) {
    TROUPE_TRY(const auto pids, control->processes());
    for (const auto& dir : dirs)
      for (const auto pid : pids) {
        auto done = sys::write_file(
          AT_FDCWD, directory_of(dir) + "/cgroup.procs", std::to_string(pid));
        if (!done && done.error().os_errno != ESRCH)
          return done;
      }
    if (pids.size() <= moved)
      return {};
    moved = pids.size();
  }
}

outcome enter_new(const plan::cgroup& now, const plan::cgroup& to) {
  auto more = to;
  more.writes.clear();
  more.dirs.erase(more.dirs.begin(), more.dirs.begin()
                                       + static_cast<std::ptrdiff_t>(std::min(
                                         now.dirs.size(), to.dirs.size())));
  if (!more.dirs.empty()) {
    if (const auto made = create(more); !made)
      return fail(as_failure(made.error(), {}));
    TROUPE_CHECK(move_in(now, more.dirs));
  }
  if (to.subtree_control == now.subtree_control)
    return {};
  if (const auto enabled = enable(to); !enabled)
    return fail(as_failure(enabled.error(), {}));
  return {};
}

/// The same writes with what stands there now. What cannot be read (device
/// rules), or is only a check, is left out.
std::vector<plan::cgroup_write> present(const plan::cgroup& in) {
  std::vector<plan::cgroup_write> out;
  for (const auto& each : in.writes) {
    const auto directory = directory_of(in.dirs[each.dir]);
    for (auto rest = std::string_view{each.file}; !rest.empty();) {
      const auto name = std::string{rest.substr(0, rest.find('|'))};
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
      auto value = sys::read_file(AT_FDCWD, directory + "/" + name);
      if (!value || name == usage_check_file)
        continue;
      while (value->ends_with('\n'))
        value->pop_back();
      out.push_back({each.dir, name, *std::move(value), each.origin});
      break;
    }
  }
  return out;
}

/// What could not be put back, for the failure's end.
std::string restore(plan::cgroup in, std::vector<plan::cgroup_write> values) {
  std::string out;
  // From the last to the first: a limit may bound the one before it.
  std::ranges::reverse(values);
  for (auto& each : values) {
    in.writes = {std::move(each)};
    if (const auto back = apply(in); !back)
      out += "; not put back: " + as_failure(back.error(), in.writes).what;
  }
  return out;
}

} // namespace

result<plan::cgroup> plan_update(const plan::cgroup& now,
                                 const oci::resources& wanted,
                                 const plan::host_facts& host) {
  if (now.dirs.empty())
    return fail(fault::unsupported, "this container has no cgroup");
  oci::spec spec;
  spec.linux_.cgroups_path = now.dirs.front().path;
  spec.linux_.resources = wanted;
  auto direct = host; // the path is known: whatever has made it
  direct.scope_helper.clear();
  TROUPE_TRY(const auto fresh, plan_cgroup(spec, direct, ""));
  auto out = now;
  for (const auto& dir : fresh.dirs)
    if (std::ranges::find(now.dirs, dir.mount, &plan::cgroup_dir::mount)
        == now.dirs.end())
      out.dirs.push_back(dir);
  out.subtree_control = joined_controllers(now.subtree_control,
                                           fresh.subtree_control);
  TROUPE_TRY(out.writes, plan_writes(wanted, out));
  return out;
}

outcome update(const plan::cgroup& now, const plan::cgroup& to) {
  TROUPE_CHECK(enter_new(now, to));
  auto before = present(to);
  auto done = outcome{};
  if (const auto applied = apply(to); !applied)
    done = fail(as_failure(applied.error(), to.writes));
  else
    done = update_scope(to);
  if (done)
    return {};
  auto why = std::move(done).error();
  why.what += restore(to, std::move(before));
  return fail(std::move(why));
}

} // namespace troupe::cgroup
