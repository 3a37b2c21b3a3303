#include "actors/planner.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/planning.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace troupe {

namespace {

struct planner_state {
  static constexpr const char* name = "planner";

  planner_state() = default;

  plan::host_facts host;
};

/// Runs `plan`. One request that throws (std::bad_alloc, say) must not end the
/// planner of all others.
template <class Plan>
auto attempt(Plan plan) -> decltype(plan()) {
  try {
    return plan();
  } catch (const std::exception& why) {
    return fail(fault::os, std::string{"plan: "} + why.what());
  }
}

void log_warnings(const std::string& of,
                  const std::vector<std::string>& warnings) {
  for (const auto& each : warnings)
    spdlog::warn("{}: {}", of, each);
}

caf::result<msg::compiled_launch> launch(const planner_state& state,
                                         const msg::compile_launch& x) {
  auto made = attempt([&] { return plan_launch(x, state.host); });
  if (!made)
    return to_caf(std::move(made).error());
  log_warnings(x.id, made->plan->warnings);
  return *std::move(made);
}

caf::result<msg::compiled_exec> exec(const planner_state& state,
                                     const msg::compile_exec& x) {
  auto made = attempt([&] { return plan_exec(x, state.host); });
  if (!made)
    return to_caf(std::move(made).error());
  log_warnings(made->plan->id + '/' + x.session, made->plan->warnings);
  return *std::move(made);
}

planner_actor::behavior_type
planner(planner_actor::stateful_pointer<planner_state> self,
        plan::host_facts host) {
  guard(self);
  auto& state = self->state;
  state.host = std::move(host);
  return {
    [&state](const msg::compile_launch& x) { return launch(state, x); },
    [&state](const msg::compile_exec& x) { return exec(state, x); },
  };
}

} // namespace

planner_actor spawn_planner(caf::actor_system& system, plan::host_facts host) {
  return system.spawn<caf::detached>(planner, std::move(host));
}

} // namespace troupe
