#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"
#include "runtime/probe/host.hpp"

#include <algorithm>
#include <cerrno>

namespace troupe::oci_runtime {

namespace {

/// A cgroup v1 container is not in hierarchies that it did not need (hugetlb):
/// the directories that only `x` asks for.
result<plan::cgroup> missing_dirs(const container& now,
                                  const oci::resources& x) {
  auto spec = oci::spec{};
  spec.linux_.cgroups_path = now.plan.cgroup.dirs.front().path;
  spec.linux_.resources = x;
  TROUPE_TRY(auto out,
             cgroup::plan_cgroup(spec, sys::probe_host(default_cgroup_parent),
                                 now.state.id));
  std::erase_if(out.dirs, [&](const auto& each) {
    return std::ranges::count(now.plan.cgroup.dirs, each.mount,
                              &plan::cgroup_dir::mount)
           > 0;
  });
  out.writes.clear();
  return out;
}

/// Moves every process of the container into `in`, until none is new.
outcome move_in(const container& x, const plan::cgroup& in) {
  const auto control = cgroup::open_control(x.plan.cgroup);
  for (std::size_t moved = 0;;) {
    TROUPE_TRY(const auto pids, control->processes());
    for (const auto& dir : in.dirs)
      for (const auto pid : pids) {
        const auto done = sys::write_file(
          AT_FDCWD, dir.mount + dir.path + "/cgroup.procs",
          std::to_string(pid));
        if (!done && done.error().os_errno != ESRCH)
          return done;
      }
    if (pids.size() <= moved)
      return {};
    moved = pids.size();
  }
}

failure as_failure(const cgroup::step_failure& why,
                   const std::vector<plan::cgroup_write>& writes) {
  auto out = os_failure(why.os_errno, "write", why.path);
  return why.phase == plan::phase::cgroup_write && why.index < writes.size()
           ? std::move(out).during(writes[why.index].origin)
           : out;
}

outcome add_missing(const runtime& in, container& x,
                    const oci::resources& wanted) {
  if (x.plan.cgroup.dirs.empty())
    return {};
  TROUPE_TRY(const auto more, missing_dirs(x, wanted));
  if (more.dirs.empty())
    return {};
  if (const auto made = cgroup::create(more); !made)
    return fail(as_failure(made.error(), {}));
  // First into the plan: whoever deletes the container finds them then.
  auto& dirs = x.plan.cgroup.dirs;
  dirs.insert(dirs.begin(), more.dirs.begin(), more.dirs.end());
  for (auto& write : x.plan.cgroup.writes)
    write.dir += static_cast<std::uint32_t>(more.dirs.size());
  TROUPE_CHECK(in.store.write_plan(x.plan));
  return move_in(x, more);
}

/// The same writes with what stands there now. What cannot be read (device
/// rules), or is only a check, is left out.
std::vector<plan::cgroup_write> present(const plan::cgroup& in) {
  std::vector<plan::cgroup_write> out;
  for (const auto& each : in.writes) {
    const auto& dir = in.dirs[each.dir];
    for (auto rest = std::string_view{each.file}; !rest.empty();) {
      const auto name = std::string{rest.substr(0, rest.find('|'))};
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
      auto value = sys::read_file(AT_FDCWD, dir.mount + dir.path + "/" + name);
      if (!value || name == cgroup::usage_check_file)
        continue;
      while (value->ends_with('\n'))
        value->pop_back();
      out.push_back({each.dir, name, *std::move(value), each.origin});
      break;
    }
  }
  return out;
}

outcome apply(const plan::cgroup& in, const runtime& to) {
  auto before = in;
  before.writes = present(in);
  const auto done = cgroup::apply(in);
  if (done)
    return {};
  // From the last to the first: a limit may bound the one before it.
  std::ranges::reverse(before.writes);
  for (const auto& each : before.writes) {
    auto one = before;
    one.writes = {each};
    if (const auto back = cgroup::apply(one); !back)
      to.warn(as_failure(back.error(), one.writes).what);
  }
  return fail(as_failure(done.error(), in.writes));
}

} // namespace

result<oci::resources> read_resources(const std::string& text) {
  TROUPE_TRY(const auto document, json::parse(text));
  return oci::parse_resources(document, "");
}

outcome update(const runtime& in, const std::string& id,
               oci::resources resources) {
  TROUPE_TRY(const auto held, lock(in.store, id));
  TROUPE_TRY(auto x, look(in.store, id));
  if (!x.is_alive())
    return fail(fault::wrong_state, "container not running");
  // A living container's device rules are not changed, as in runc.
  resources.devices.clear();
  if (resources.pids_limit == 0)
    resources.pids_limit.reset();
  TROUPE_CHECK(oci::validate(resources, ""));
  TROUPE_CHECK(add_missing(in, x, resources));
  auto cgroup = x.plan.cgroup;
  TROUPE_TRY(cgroup.writes, cgroup::plan_writes(resources, cgroup));
  return apply(cgroup, in);
}

} // namespace troupe::oci_runtime
