#include "runtime/cgroup/update.hpp"

#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"
#include "runtime/probe/host.hpp"

namespace troupe::oci_runtime {

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
  TROUPE_TRY(auto to,
             cgroup::plan_update(x.plan.cgroup, resources,
                                 sys::probe_host(default_cgroup_parent)));
  const auto now = x.plan.cgroup;
  if (to.dirs.size() > now.dirs.size()) {
    // First into the plan: whoever deletes the container finds them then.
    x.plan.cgroup.dirs = to.dirs;
    TROUPE_CHECK(in.store.write_plan(x.plan));
  }
  return cgroup::update(now, to);
}

} // namespace troupe::oci_runtime
