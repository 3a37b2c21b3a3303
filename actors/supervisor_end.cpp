#include "actors/errors.hpp"
#include "actors/shim_calls.hpp"
#include "actors/supervisor_state.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

/// The end: containers first if asked, then the shim, then the actors. Whoever
/// asked is answered before the last step.
namespace troupe {

namespace {

/// Beyond the grace period: SIGKILL, the exit's commit.
constexpr auto stop_margin = std::chrono::seconds{30};
constexpr auto removal_patience = std::chrono::seconds{30};

} // namespace

void supervisor_state::answer(const msg::shut_down& x,
                              const promise<msg::done>& reply) {
  enders.push_back(reply);
  if (std::exchange(closing, true))
    return;
  spdlog::info("supervisor shuts down{}",
               x.stop_containers ? " with its containers" : "");
  if (x.stop_containers)
    stop_all(x.grace);
  else
    leave({});
}

void supervisor_state::stop_all(caf::timespan grace) {
  const auto left = std::make_shared<std::size_t>(1);
  const auto one_less = [this, left] {
    if (--*left > 0)
      return;
    removals_awaited = true;
    due.arm(supervisor_due::removals_over, removal_patience);
    await_removals();
  };
  for (const auto& [id, each] : containers) {
    if (!each.actor)
      continue;
    ++*left;
    const auto fails = [one_less, id = id](const caf::error& why) {
      spdlog::warn("container {} is left behind: {}", id, from_caf(why).what);
      one_less();
    };
    const auto gone = [one_less](const msg::snapshot&) { one_less(); };
    // The shim stays as long as it keeps an end that nobody has forgotten.
    const auto stopped = [this, one_less, fails,
                          actor = each.actor](const msg::snapshot& x) {
      if (x.auto_remove) // and its sessions with it
        one_less();
      else
        self->request(actor, stop_margin, msg::forget_execs{})
          .then([one_less](const msg::done&) { one_less(); }, fails);
    };
    // What is being launched cannot be stopped, only removed.
    if (each.now->status == lifecycle::status::creating)
      self->request(each.actor, grace + stop_margin, msg::remove{true})
        .then(gone, fails);
    else
      self->request(each.actor, grace + stop_margin, msg::stop{SIGTERM, grace})
        .then(stopped, fails);
  }
  one_less();
}

/// Goes on once no container is left that removes itself.
void supervisor_state::await_removals() {
  if (!removals_awaited)
    return;
  for (const auto& [id, each] : containers)
    if (each.now->auto_remove && each.actor)
      return;
  end_shim();
}

void supervisor_state::fell_due(const msg::deadline& x) {
  if (!due.reached(x))
    return;
  switch (static_cast<supervisor_due>(x.of)) {
  case supervisor_due::removals_over:
    if (!removals_awaited)
      break;
    spdlog::warn("supervisor waits no longer for removals");
    end_shim();
    break;
  case supervisor_due::rebuild_again:
    self->send(with->shim, msg::await_sync{self});
    break;
  case supervisor_due::count:
    break;
  }
}

void supervisor_state::end_shim() {
  removals_awaited = false;
  call_shim(self, with->shim, shim_patience, msg::shim_call{shim::quit{}, {}},
            nullptr, [this](const outcome& done) {
              if (!done)
                spdlog::warn("the shim stays: {}", done.error().what);
              leave({});
            });
}

void supervisor_state::leave(caf::error why) {
  for (auto& each : std::exchange(enders, {}))
    each.deliver(msg::done{});
  if (std::exchange(leaving, true))
    return;
  closing = true;
  leaving_because = std::move(why);
  for (const auto& each : std::exchange(waiting, {}))
    each();
  for (const auto& [id, each] : containers)
    if (each.actor)
      self->send_exit(each.actor, caf::exit_reason::user_shutdown);
  for (const auto& [id, each] : orphans)
    self->send_exit(each, caf::exit_reason::user_shutdown);
  std::erase_if(containers,
                [](const auto& each) { return !each.second.actor; });
  leave_if_alone();
}

void supervisor_state::leave_if_alone() {
  if (leaving && containers.empty() && orphans.empty())
    self->quit(leaving_because);
}

} // namespace troupe
