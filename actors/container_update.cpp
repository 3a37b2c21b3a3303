#include "actors/container_state.hpp"
#include "actors/container_view.hpp"
#include "actors/updater.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

/// New limits, by an UPDATER: the kernel may take its time to reclaim what is
/// above one, and nobody waits for that but who has asked.
namespace troupe {

using lifecycle::operation;

namespace {

/// Reclaim gives up long before; what is left is an update that hangs.
constexpr auto update_patience = std::chrono::seconds{60};

/// Whether the kernel may have to reclaim memory for it: is any named at all?
bool may_wait(const std::string& resources) {
  return resources.find("memory") != std::string::npos
         || resources.find('\\') != std::string::npos; // by another spelling
}

} // namespace

caf::result<msg::snapshot> container_state::update(const msg::update& x) {
  if (const auto row = allowed(operation::update); !row)
    return to_caf(row.error());
  if (!control)
    return to_caf(
      {fault::unsupported, 0, about("update") + ": it has no cgroup to limit"});
  updates.push_back(
    {x.resources, self->make_response_promise<msg::snapshot>()});
  const auto reply = updates.back().reply;
  if (updates.size() == 1)
    next_update();
  return reply;
}

/// One after the other: each is on top of the one before it.
void container_state::next_update() {
  if (updates.empty())
    return;
  if (const auto row = allowed(operation::update); !row) {
    end_update(row.error());
    return;
  }
  const auto& resources = updates.front().resources;
  const auto worker = spawn_updater(self->system(), with, may_wait(resources));
  self->request(worker, update_patience, msg::change_limits{plan, resources})
    .then([this](const msg::limits& x) { updated(x.of); },
          [this](const caf::error& why) {
            end_update(from_caf(why).during(about("update")));
          });
}

void container_state::updated(msg::shared_plan to) {
  const auto moved = to->cgroup.dirs != plan->cgroup.dirs;
  plan = std::move(to);
  if (moved) // else it still knows what its limits have come to
    control = with->open_control(plan->cgroup);
  spdlog::info("container {} has new limits", now.id);
  auto event = repeatable_event_of(now, "updated");
  event.data = R"({"resources":)" + updates.front().resources + '}';
  outbox.put(std::move(event));
  auto done = std::move(updates.front());
  updates.pop_front();
  done.reply.deliver(now);
  next_update();
}

void container_state::end_update(failure why) {
  auto done = std::move(updates.front());
  updates.pop_front();
  done.reply.deliver(to_caf(std::move(why)));
  next_update();
}

} // namespace troupe
