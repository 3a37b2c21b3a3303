#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/oci/operations.hpp"

#include <cerrno>
#include <csignal>

namespace troupe::oci_runtime {

namespace {

/// containerd and podman take these words for "it is gone already".
failure not_running() {
  return {fault::wrong_state, 0, "container not running"};
}

outcome signal_all(const container& x, int signo) {
  const auto done = cgroup::open_control(x.plan.cgroup)->signal_all(signo);
  // Without init its cgroups may be gone too.
  if (!done && !x.is_alive() && done.error().code == fault::not_found)
    return fail(not_running());
  return done;
}

} // namespace

// No lock: a container whose creation or start hangs in a hook can be killed.
outcome kill(const runtime& in, const std::string& id, int signo, bool all) {
  TROUPE_TRY(const auto x, look_in_passing(in.store, id));
  const auto has_cgroup = x.plan.cgroup.mode != plan::cgroup_mode::none;
  if (!x.is_alive() && !(all && has_cgroup))
    return fail(not_running());
  if (all && has_cgroup)
    TROUPE_CHECK(signal_all(x, signo));
  else if (const auto sent = sys::send_signal(x.init.get(), signo); !sent)
    return sent.error().os_errno == ESRCH ? fail(not_running()) : sent;
  // A frozen v1 task dies once it is thawed.
  if (signo == SIGKILL && x.status == status::paused)
    return cgroup::open_control(x.plan.cgroup)->thaw();
  return {};
}

} // namespace troupe::oci_runtime
