#include "runtime/launch/launch.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/oci/ending.hpp"
#include "runtime/oci/launcher.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"
#include "runtime/oci/wording.hpp"

#include <charconv>

namespace troupe::oci_runtime {

namespace {

outcome check_startable(const container& x) {
  switch (x.status) {
  case status::created:
    if (x.plan.process.args.empty())
      return fail(fault::wrong_state,
                  "cannot start a container without process.args");
    return {};
  case status::stopped:
    return fail(fault::wrong_state,
                "cannot start a container that has stopped");
  case status::paused:
    return fail(fault::paused, "cannot start a container that is paused");
  case status::creating:
    return fail(fault::wrong_state,
                "cannot start a container that is being created");
  case status::running:
    break;
  }
  return fail(fault::wrong_state, "cannot start an already running container");
}

/// Since 1.3 a failing poststart hook stops the container; before, it was a
/// warning and the next one ran (runtime.md, "Lifecycle", step 9).
bool poststart_is_fatal(std::string_view version) {
  auto minor = 0;
  const auto dot = version.find('.');
  if (dot == version.npos || version.substr(0, dot) != "1")
    return true;
  std::from_chars(version.data() + dot + 1, version.data() + version.size(),
                  minor);
  return minor >= 3;
}

/// Runs one poststart hook. Its own launch, so that the next can run.
std::optional<launch::report> run_one(const plan::launch_plan& plan,
                                      std::size_t index, pid_t pid) {
  auto one = plan;
  one.hooks.poststart = {plan.hooks.poststart[index]};
  auto done = run_launcher(
    [&](int line) { return launch::run_poststart(one, line, pid); }, {});
  if (done.failed)
    done.failed->index = static_cast<std::uint32_t>(index);
  return done.failed;
}

outcome run_poststart(const runtime& in, const container& x) {
  const auto fatal = poststart_is_fatal(x.plan.oci_version);
  for (std::size_t i = 0; i < x.plan.hooks.poststart.size(); ++i) {
    const auto failed = run_one(x.plan, i, x.state.pid);
    if (!failed)
      continue;
    auto why = launch::to_failure(*failed, &x.plan);
    if (fatal)
      return fail(std::move(why));
    in.warn(why.what);
  }
  return {};
}

/// The lifecycle goes on at its step 12: the container is destroyed.
failure stop(const runtime& in, const container& x, failure why) {
  auto done = kill_init(x);
  if (done)
    done = destroy(in, x.plan);
  if (!done)
    in.warn(done.error().what);
  return why;
}

outcome send(const runtime& in, const container& x) {
  TROUPE_TRY(const auto directory, open_directory(in.store, x.state.id));
  TROUPE_TRY(const auto line,
             sys::seqpacket_connect(start_socket(directory.get())));
  const auto failed = send_start(line.get());
  if (!failed)
    return {};
  auto why = to_failure(*failed, x.plan.process, &x.plan);
  (void)wait_until_dead(x, kill_patience); // it ends by itself
  return failed->phase == plan::phase::hook_start_container
           ? fail(stop(in, x, std::move(why)))
           : fail(std::move(why));
}

} // namespace

outcome start(const runtime& in, const std::string& id) {
  TROUPE_TRY(const auto held, lock(in.store, id));
  TROUPE_TRY(auto x, look(in.store, id));
  TROUPE_CHECK(check_startable(x));
  TROUPE_CHECK(send(in, x));
  x.state.status = state_running;
  x.state.started = now_ns();
  TROUPE_CHECK(in.store.write_state(x.state));
  if (const auto hooks = run_poststart(in, x); !hooks)
    return fail(stop(in, x, hooks.error()));
  return {};
}

} // namespace troupe::oci_runtime
