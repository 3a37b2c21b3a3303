#include "config/base/container_id.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/ending.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/probe/host.hpp"

namespace troupe::oci_runtime {

namespace {

constexpr std::chrono::milliseconds ending_patience{100};

/// What is left of a plan where there is none: the cgroups that config.json
/// means, or those of a container that names none.
plan::launch_plan salvaged_plan(const runtime& in, const std::string& id) {
  plan::launch_plan out;
  out.id = id;
  auto spec = oci::spec{};
  if (const auto config = in.store.read_config(id))
    if (auto parsed = oci::parse(*config))
      spec.linux_.cgroups_path = parsed->linux_.cgroups_path;
  auto host = sys::probe_host(default_cgroup_parent);
  for (const auto* helper : {"", "troupe-scope"}) { // a path, or systemd's form
    host.scope_helper = helper;
    if (auto cgroup = cgroup::plan_cgroup(spec, host, id)) {
      out.cgroup = *std::move(cgroup);
      break;
    }
  }
  return out;
}

outcome remove_damaged(const runtime& in, const std::string& id) {
  const auto plan = in.store.read_plan(id);
  return destroy(in, plan ? *plan : salvaged_plan(in, id));
}

/// With `force`, before the lock: its holder may wait for this very container.
void kill_unlocked(const runtime& in, const std::string& id) {
  if (const auto x = look_in_passing(in.store, id))
    (void)kill_init(*x); // what fails here fails again, with the lock
}

outcome remove_locked_container(const runtime& in, const std::string& id,
                                bool force) {
  TROUPE_TRY(const auto held, lock(in.store, id));
  auto x = look(in.store, id);
  // One that has just been signalled is about to end.
  if (x && x->status == status::running && !force
      && wait_until_dead(*x, ending_patience))
    x = look(in.store, id);
  if (!x)
    return force && x.error().code != fault::not_found ? remove_damaged(in, id)
                                                       : fail(x.error());
  if (x->is_alive() && !force)
    return fail(fault::wrong_state, "cannot delete container " + id
                                      + " that is not stopped: "
                                      + std::string{to_string(x->status)});
  TROUPE_CHECK(kill_init(*x));
  return destroy(in, x->plan);
}

} // namespace

outcome remove(const runtime& in, const std::string& id, bool force) {
  TROUPE_CHECK(checked_id(id));
  if (force)
    kill_unlocked(in, id);
  auto done = remove_locked_container(in, id, force);
  if (!done && force && done.error().code == fault::not_found)
    return {};
  return done;
}

} // namespace troupe::oci_runtime
