#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/shim_calls.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

/// remove: kills what runs, waits for its exit to be told, and undoes what the
/// launch made, in the reverse order: event registrations (ended with the
/// exit), exec sessions, cgroups and hooks, the shim's record, files.
namespace troupe {

using lifecycle::effect;
using lifecycle::operation;
using lifecycle::status;

namespace {

/// Between two attempts to remove a directory.
constexpr auto vanish_pause = std::chrono::seconds{1};

/// What only a launcher undoes.
bool needs_launcher(const plan::launch_plan& plan) {
  return !plan.hooks.poststop.empty() || !plan.intel_rdt.directory.empty();
}

} // namespace

caf::result<msg::snapshot> container_state::remove(bool force) {
  const auto row = allowed(force ? operation::destroy : operation::remove);
  if (!row && !removing)
    return to_caf(row.error());
  removers.push_back(self->make_response_promise<msg::snapshot>());
  auto reply = removers.back();
  if (now.status == status::destroyed || std::exchange(removing, true))
    return reply; // Joins the one that is under way.
  spdlog::debug("container {} is being removed", now.id);
  wait_for("remove");
  publish();
  if (row->run == effect::kill_teardown) {
    kill_everything();
    due.arm(container_due::kill_over, kill_patience);
  } else {
    go_on_removing();
  }
  return reply;
}

/// The next step after the exit was told, or could not be.
void container_state::go_on_removing() {
  if (!removing || tearing_down)
    return;
  if (exit_committed) {
    tear_down();
    return;
  }
  // A removed container cannot tell its exit any more: it stays until it could.
  if (outbox.failing() && !removers.empty())
    fail_removal({fault::exhausted, 0,
                  about("remove") + ": its exit is not in the event log yet"});
}

void container_state::tear_down() {
  tearing_down = true;
  wait_for("teardown");
  publish();
  remove_sessions([this] {
    // Mostly nothing lives in its cgroups any more, and they are all there is.
    if (!needs_launcher(*plan) && (!control || control->remove_if_empty())) {
      torn_down({});
      return;
    }
    auto fds = plan_fds(*plan);
    if (!fds) {
      torn_down(fail(std::move(fds).error()));
      return;
    }
    call(shim::teardown{0, now.id}, *std::move(fds),
         std::chrono::milliseconds{with->settings->launch_timeout_ms},
         [this](const outcome& done) { torn_down(done); });
  });
}

void container_state::torn_down(const outcome& done) {
  if (!done) {
    fail_removal(failure{done.error()}.during(about("remove")));
    return;
  }
  forget([this](const outcome&) { destroy(); });
}

/// From here on nothing is left but the directory. Its state says so, and it
/// goes last: should we die in between, the next supervisor tells the end.
void container_state::destroy() {
  follow(operation::destroy);
  waited("teardown");
  save();
  put("destroyed", now_ns());
}

void container_state::vanish() {
  self->send(with->shim, msg::disown_process{now.id});
  if (owns_directory)
    if (auto gone = with->store.remove(now.id); !gone) {
      due.arm(container_due::vanish_again, vanish_pause);
      put_off_end(failure{gone.error()}.during(about("remove")));
      return;
    }
  spdlog::info("container {} destroyed", now.id);
  wait_for({});
  publish();
  for (auto& each : std::exchange(removers, {}))
    each.deliver(now);
  // Replies of the shim's that are still on their way come too late.
  if (auto reply = std::exchange(creator, std::nullopt))
    reply->deliver(to_caf(launch_ended.value_or(refusal(operation::launched))));
  if (starter && !start_error)
    start_error = refusal(operation::start);
  answer_exit();
  leave({});
}

/// Its last step has to be tried again, and takes its id until then. Nobody
/// waits for that.
void container_state::put_off_end(const failure& why) {
  spdlog::error("container {} cannot go: {}", now.id, why.what);
  now.error = why.what;
  for (auto& each : std::exchange(removers, {}))
    each.deliver(to_caf(why));
  if (auto reply = std::exchange(creator, std::nullopt))
    reply->deliver(to_caf(launch_ended.value_or(why)));
}

void container_state::fail_removal(failure why) {
  spdlog::error("container {} not removed: {}", now.id, why.what);
  removing = false;
  tearing_down = false;
  due.disarm(container_due::kill_over);
  now.error = why.what;
  wait_for({});
  changed();
  for (auto& each : std::exchange(removers, {}))
    each.deliver(to_caf(why));
}

} // namespace troupe
