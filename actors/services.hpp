#pragma once

#include "actors/interfaces.hpp"
#include "actors/launch_gate.hpp"
#include "actors/untold_ends.hpp"
#include "config/settings.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/file_watches.hpp"
#include "runtime/linux/poller.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/store/store.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>

namespace troupe {

using found_containers = std::future<result<std::vector<store::found>>>;

/// What container actors stand on. One per process; outlives every actor.
/// Tests put fakes in the handles and in `open_control`.
struct services {
  shim_link_actor shim;
  event_log_actor events;
  planner_actor planner;
  sampler_actor sampler;
  /// Null where it cannot be read.
  std::shared_ptr<sys::kernel_log> kernel_log;
  sys::poller* reactor = nullptr; ///< Null in tests without a reactor.
  sys::file_watches* file_watches = nullptr; ///< Of the reactor.
  store::directory store{""};
  /// What `store` has at the start, which is being read. Null: nobody does.
  std::shared_ptr<found_containers> found;
  live_settings settings;
  std::shared_ptr<launch_gate> gate = std::make_shared<launch_gate>(
    64, 4096); ///< Before the shim.
  std::shared_ptr<untold_ends> untold = std::make_shared<untold_ends>();
  plan::host_facts host;
  std::string shim_program; ///< What a new shim runs.
  /// No new containers. Set by the CLUSTER, of which actors here know nothing.
  std::shared_ptr<std::atomic<bool>> draining
    = std::make_shared<std::atomic<bool>>(false);
  std::function<std::unique_ptr<cgroup::control>(plan::cgroup)> open_control
    = cgroup::open_control;
};

using shared_services = std::shared_ptr<const services>;

} // namespace troupe
