#include "actors/container_view.hpp"
#include "actors/errors.hpp"
#include "actors/supervisor_state.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

/// What is there when the supervisor begins, and what a failed container actor
/// leaves, are rebuilt the same way: from the disk and the shim's records.
namespace troupe {

namespace {

constexpr int most_crashes = 3;
constexpr auto told_patience = std::chrono::seconds{2};
constexpr time_ns crash_window = 60'000'000'000;

/// Between two attempts to read what a crashed actor has left.
constexpr auto rebuild_pause = std::chrono::seconds{1};

/// `web-1` of `web-1/3f2a`.
std::string container_of(const shim::process_key& key) {
  return key.substr(0, key.find('/'));
}

std::vector<shim::process_key>
keys_of(const std::vector<shim::record>& processes) {
  std::vector<shim::process_key> out;
  out.reserve(processes.size());
  for (const auto& each : processes)
    out.push_back(each.key);
  return out;
}

/// The event of its start, as msg::event::once has it.
std::string start_of(const store::state& x) {
  return once_of(x.id, x.created, "started");
}

} // namespace

void supervisor_state::synced(const msg::shim_synced& x) {
  shim_pid = x.shim_pid;
  shim_version = x.shim_version;
  spare_launchers = x.spare_launchers;
  for (auto& each : std::exchange(upgraders, {}))
    answer(msg::describe_host{}, std::move(each));
  records by_container;
  for (const auto& each : x.records)
    by_container[container_of(each.key)].push_back(each);
  if (std::exchange(asked, true))
    rebuild_crashed(by_container);
  else
    read_all(std::move(by_container));
}

void supervisor_state::read_all(records by_container) {
  auto found = with->found ? with->found->get() : with->store.load();
  if (!found) {
    spdlog::critical("the containers on disk cannot be read: {}",
                     found.error().what);
    leave(to_caf(found.error()));
    return;
  }
  msg::find_told what;
  for (const auto& each : *found)
    if (each.usable)
      what.once.push_back(start_of(each.state));
  // Shared, because one of two functions will need it.
  const auto adopt
    = std::make_shared<std::function<void(const std::set<std::string>&)>>(
      [this, all = *std::move(found), by_container = std::move(by_container)](
        const auto& told) mutable { adopt_all(all, by_container, told); });
  self->request(with->events, told_patience, std::move(what))
    .then(
      [adopt](const msg::told& x) {
        (*adopt)({x.once.begin(), x.once.end()});
      },
      // Whatever is told twice is written once.
      [adopt](const caf::error&) { (*adopt)({}); });
}

void supervisor_state::adopt_all(std::vector<store::found>& all,
                                 const records& by_container,
                                 const std::set<std::string>& told) {
  for (auto& each : all)
    if (each.usable)
      adopt(each, by_container, told.contains(start_of(each.state)));
    else
      discard(each, by_container);
  for (const auto& [id, processes] : by_container)
    if (!containers.contains(id) && !orphans.contains(id))
      bury({.id = id, .processes = keys_of(processes)});
  spdlog::info("supervisor adopts {} containers", containers.size());
  ++adopting; // This function itself.
  adopted_one();
}

/// Takes the plan out of `x`.
void supervisor_state::adopt(store::found& x, const records& by_container,
                             bool told_started) {
  auto origin = container_origin{};
  origin.id = x.id;
  origin.adopted = true;
  origin.told_started = told_started;
  origin.state = x.state;
  origin.plan = std::make_shared<plan::launch_plan>(std::move(x.plan));
  const auto processes = by_container.find(x.id);
  if (processes != by_container.end()) {
    for (const auto& each : processes->second)
      if (each.key != x.id)
        origin.execs.push_back(each);
      else {
        origin.has_record = true;
        origin.record = each;
      }
  }
  auto& made = containers[x.id];
  auto now = msg::snapshot{};
  now.id = x.id; // It says itself where it is.
  made.now = std::move(now);
  made.adopting = true;
  ++adopting;
  made.actor = spawn(std::move(origin));
}

/// A directory without a state is a create that has not come far; one with a
/// damaged state or plan cannot be brought back.
void supervisor_state::discard(store::found& x, const records& by_container) {
  spdlog::error("container {} is given up: {}", x.id, x.problem.what);
  auto of = remains{.id = x.id, .has_directory = true};
  if (const auto left = by_container.find(x.id); left != by_container.end())
    of.processes = keys_of(left->second);
  of.launched = !of.processes.empty() || x.problem.os_errno != ENOENT;
  if (x.has_plan)
    of.plan = std::make_shared<plan::launch_plan>(std::move(x.plan));
  bury(std::move(of));
}

void supervisor_state::bury(remains of) {
  auto& orphan = orphans[of.id];
  orphan = spawn_orphan(self->system(), with, std::move(of));
  self->monitor(orphan);
}

void supervisor_state::adopted_one() {
  if (--adopting > 0 || ready)
    return;
  ready = true;
  for (const auto& each : std::exchange(waiting, {}))
    each();
  for (const auto& [id, each] : containers)
    if (each.actor)
      self->send(each.actor, watch_begins());
}

// -- a container actor that failed --------------------------------------------

void supervisor_state::crashed(const std::string& id, const caf::error& why) {
  auto& each = containers.find(id)->second;
  each.actor = nullptr;
  const auto now = boot_ns();
  if (now - each.last_crash > crash_window)
    each.crashes = 0;
  each.last_crash = now;
  if (++each.crashes > most_crashes) {
    msg::snapshot now = each.now;
    now.error = "its actor has failed too often: " + from_caf(why).what;
    spdlog::critical("container {}: {}", id, now.error);
    each.now = std::move(now);
    return;
  }
  spdlog::error("container {} is rebuilt, its actor has failed: {}", id,
                from_caf(why).what);
  // The newest records come with the answer.
  self->send(with->shim, msg::await_sync{self});
}

void supervisor_state::rebuild_crashed(const records& by_container) {
  std::vector<std::string> crashed;
  for (const auto& [id, each] : containers)
    if (!each.actor && each.crashes <= most_crashes)
      crashed.push_back(id);
  if (crashed.empty())
    return;
  auto found = with->store.load();
  if (!found) {
    spdlog::error("no container is rebuilt: {}", found.error().what);
    due.arm(supervisor_due::rebuild_again, rebuild_pause);
    return;
  }
  for (const auto& id : crashed) {
    const auto on_disk = std::find_if(
      found->begin(), found->end(),
      [&](const auto& each) { return each.id == id; });
    if (on_disk != found->end() && on_disk->usable) {
      adopt(*on_disk, by_container, false);
      continue;
    }
    containers.erase(id);
    if (on_disk != found->end())
      discard(*on_disk, by_container);
    else if (const auto left = by_container.find(id);
             left != by_container.end())
      bury({.id = id, .processes = keys_of(left->second)});
  }
}

} // namespace troupe
