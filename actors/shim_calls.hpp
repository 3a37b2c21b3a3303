#pragma once

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/result.hpp>
#include <caf/timespan.hpp>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe {

/// For what the shim does at once: signals, attaching, forgetting.
inline constexpr caf::timespan shim_patience = std::chrono::seconds{10};

/// From SIGKILL until a process is reaped; beyond that it hangs in the kernel.
inline constexpr caf::timespan kill_patience = std::chrono::seconds{10};

/// How long a failed start waits for the exit that comes with it.
inline constexpr caf::timespan settle_patience = std::chrono::seconds{5};

/// Between two attempts to write events that the event log refused.
inline constexpr caf::timespan append_pause = std::chrono::seconds{1};

/// How long an exec session waits for the end of a pause.
inline constexpr caf::timespan pause_patience = std::chrono::hours{24};

/// From a launch's request until init is there, hooks included.
[[nodiscard]] caf::timespan launch_patience(const services& with);

/// The shim's answer as an outcome. A failing step is put into words by means
/// of `plan`, which is null for exec sessions.
[[nodiscard]] outcome outcome_of(const shim::reply& x,
                                 const plan::launch_plan* plan);

/// A step of a launch, start, hook or teardown that failed, in words.
[[nodiscard]] failure to_failure(const shim::step_report& x,
                                 const plan::launch_plan* plan);

/// The shell's exit code for a program that could not be executed: 127, 126;
/// for another reason `reported`, but never 0.
[[nodiscard]] std::int32_t start_failed_code(const failure& why,
                                             std::int32_t reported) noexcept;

/// Why a request to the shim link has not been answered.
[[nodiscard]] failure no_answer(const caf::error& why);

/// A sealed memfd of the plan, as the shim takes it.
[[nodiscard]] result<std::vector<msg::shared_fd>>
plan_fds(const plan::launch_plan& plan);
[[nodiscard]] result<std::vector<msg::shared_fd>>
plan_fds(const plan::exec_plan& plan);

/// Sends `call` to the shim; `then` gets the outcome.
template <class Pointer, class Then>
void call_shim(Pointer self, const shim_link_actor& shim,
               caf::timespan patience, msg::shim_call call,
               msg::shared_plan plan, Then then) {
  self->request(shim, patience, std::move(call))
    .then(
      [plan = std::move(plan), then](const msg::shim_answer& x) mutable {
        then(outcome_of(x.reply, plan.get()));
      },
      [then](const caf::error& why) mutable { then(fail(no_answer(why))); });
}

/// For a request that the shim answers for `self`: its outcome is ours.
template <class Pointer>
caf::result<msg::done> ask_shim(Pointer self, const shim_link_actor& shim,
                                shim::request what,
                                std::vector<msg::shared_fd> fds) {
  auto reply = self->template make_response_promise<msg::done>();
  call_shim(self, shim, shim_patience,
            msg::shim_call{std::move(what), std::move(fds)}, nullptr,
            [reply](const outcome& obeyed) mutable {
              if (obeyed)
                reply.deliver(msg::done{});
              else
                reply.deliver(to_caf(obeyed.error()));
            });
  return reply;
}

} // namespace troupe
