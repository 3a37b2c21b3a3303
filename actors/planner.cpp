#include "actors/planner.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/planning.hpp"
#include "runtime/linux/memfd.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace troupe {

namespace {

struct planner_state {
  static constexpr const char* name = "planner";

  std::optional<planning> work;
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

caf::result<msg::compiled_launch> launch(planning& work,
                                         const msg::compile_launch& x) {
  auto made = attempt([&] { return work.launch(x); });
  if (!made)
    return to_caf(std::move(made).error());
  log_warnings(x.id, made->plan->warnings);
  return *std::move(made);
}

caf::result<msg::compiled_exec> exec(planning& work,
                                     const msg::compile_exec& x) {
  auto made = attempt([&] { return work.exec(x); });
  if (!made)
    return to_caf(std::move(made).error());
  log_warnings(made->plan->id + '/' + x.session, made->plan->warnings);
  return *std::move(made);
}

caf::result<msg::program> copy(const msg::copy_program& x) {
  auto copy = sys::sealed_copy("troupe-shim", x.path);
  if (!copy)
    return to_caf(std::move(copy).error());
  return msg::program{std::make_shared<sys::unique_fd>(*std::move(copy))};
}

planner_actor::behavior_type
planner(planner_actor::stateful_pointer<planner_state> self,
        plan::host_facts host) {
  guard(self);
  auto& work = self->state.work.emplace(std::move(host));
  return {
    [&work](const msg::compile_launch& x) { return launch(work, x); },
    [&work](const msg::compile_exec& x) { return exec(work, x); },
    [](const msg::copy_program& x) { return copy(x); },
  };
}

} // namespace

planner_actor spawn_planner(caf::actor_system& system, plan::host_facts host) {
  return system.spawn<caf::detached>(planner, std::move(host));
}

} // namespace troupe
