#include "runtime/cgroup/cgroup.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"

#include <algorithm>
#include <chrono>
#include <poll.h>

namespace troupe::oci_runtime {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds freeze_patience{10'000};
constexpr milliseconds longest_wait{20};

/// The v1 freezer tells nobody when it is done, so it is asked, and asked to
/// freeze again: a task that was forked meanwhile can have escaped it.
outcome wait_until_frozen(cgroup::control& control) {
  const auto deadline = clock::now() + freeze_patience;
  for (auto wait = milliseconds{1};; wait = std::min(wait * 2, longest_wait)) {
    TROUPE_TRY(const auto state, control.state());
    if (state == cgroup::freeze_state::frozen)
      return {};
    if (clock::now() >= deadline)
      return fail(fault::timed_out, "unable to freeze: its processes are not "
                                    "frozen after 10 s");
    ::poll(nullptr, 0, static_cast<int>(wait.count()));
    TROUPE_CHECK(control.freeze());
  }
}

} // namespace

outcome pause(const runtime& in, const std::string& id) {
  TROUPE_TRY(const auto held, lock(in.store, id));
  TROUPE_TRY(const auto x, look(in.store, id));
  if (x.status != status::running && x.status != status::created)
    return fail(fault::wrong_state, "container not running");
  const auto control = cgroup::open_control(x.plan.cgroup);
  TROUPE_CHECK(control->freeze());
  auto frozen = wait_until_frozen(*control);
  if (!frozen)
    (void)control->thaw(); // the failure to report is the first
  return frozen;
}

outcome resume(const runtime& in, const std::string& id) {
  TROUPE_TRY(const auto held, lock(in.store, id));
  TROUPE_TRY(const auto x, look(in.store, id));
  if (x.status != status::paused)
    return fail(fault::wrong_state, "container not paused");
  return cgroup::open_control(x.plan.cgroup)->thaw();
}

} // namespace troupe::oci_runtime
