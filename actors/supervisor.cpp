#include "actors/supervisor.hpp"

#include "actors/guard.hpp"
#include "actors/shim_calls.hpp"
#include "actors/supervisor_state.hpp"
#include "config/base/container_id.hpp"
#include "config/base/quote.hpp"
#include "runtime/linux/file.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <unistd.h>
#include <utility>

namespace troupe {

using lifecycle::status;

namespace {

constexpr auto seq_patience = std::chrono::seconds{2};

/// More than a shim allows the rehearsal.
constexpr auto upgrade_patience = std::chrono::seconds{20};

/// Candidates named for an ambiguous beginning of an id.
constexpr std::size_t most_candidates = 3;

constexpr std::array<std::string_view, 4> mode_names{"none", "v1", "v2",
                                                     "hybrid"};

failure closed() {
  return {fault::unavailable, 0, "the supervisor is shutting down"};
}

std::string kernel_release() {
  auto out = sys::read_file(AT_FDCWD, "/proc/sys/kernel/osrelease")
               .value_or("unknown\n");
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

} // namespace

supervisor_state::supervisor_state(pointer me) : self(me), due(me) {
}

void supervisor_state::begin(shared_services services) {
  with = std::move(services);
  started = now_ns();
  kernel = kernel_release();
  self->monitor(with->shim);
  self->send(with->shim, msg::await_sync{self});
}

// -- requests -----------------------------------------------------------------

void supervisor_state::answer(msg::create_container x,
                              promise<msg::snapshot> reply) {
  if (closing) {
    reply.deliver(to_caf(closed()));
    return;
  }
  if (*with->draining) {
    reply.deliver(
      to_caf({fault::wrong_state, 0,
              "this node is being drained and takes no new containers"}));
    return;
  }
  if (x.id.empty())
    do
      x.id = random_id();
    while (containers.contains(x.id));
  if (auto id = checked_id(x.id); !id) {
    reply.deliver(to_caf(std::move(id).error()));
    return;
  }
  if (containers.contains(x.id)) {
    reply.deliver(to_caf(
      {fault::already_exists, 0, "container " + x.id + " already exists"}));
    return;
  }
  auto origin = container_origin{};
  origin.id = x.id;
  auto& made = containers[x.id];
  auto now = msg::snapshot{};
  now.id = x.id;
  made.now = std::move(now);
  made.actor = spawn(std::move(origin));
  reply.delegate(made.actor, std::move(x));
}

container_actor supervisor_state::spawn(container_origin origin) {
  origin.supervisor = self;
  auto out = spawn_container(self->system(), with, std::move(origin));
  self->monitor(out);
  return out;
}

result<supervisor_state::table::iterator>
supervisor_state::find(const std::string& id) {
  const auto missing = failure{fault::not_found, 0,
                               "there is no container " + quote(id)};
  if (id.empty())
    return fail(missing);
  if (const auto exact = containers.find(id); exact != containers.end())
    return exact;
  const auto first = containers.lower_bound(id);
  std::vector<std::string_view> candidates;
  for (auto i = first; i != containers.end() && i->first.starts_with(id)
                       && candidates.size() <= most_candidates;
       ++i)
    candidates.push_back(i->first);
  if (candidates.empty())
    return fail(missing);
  if (candidates.size() == 1)
    return first;
  auto what = "container id " + quote(id) + " is ambiguous: ";
  const auto named = std::min(candidates.size(), most_candidates);
  what += joined(std::span{candidates}.first(named));
  return fail(fault::invalid_config,
              candidates.size() > named ? what + ", ..." : what);
}

void supervisor_state::answer(const msg::find_container& x,
                              promise<msg::container_found> reply) {
  const auto found = find(x.id);
  if (!found)
    reply.deliver(to_caf(found.error()));
  else if (!(*found)->second.actor)
    reply.deliver(to_caf(
      {fault::unavailable, 0,
       "container " + (*found)->first + " is being rebuilt after a failure"}));
  else
    reply.deliver(
      msg::container_found{(*found)->second.now, (*found)->second.actor});
}

void supervisor_state::answer(const msg::list_containers&,
                              promise<msg::snapshots> reply) {
  auto out = msg::snapshots{};
  out.all.reserve(containers.size());
  for (const auto& [id, each] : containers)
    out.all.push_back(each.now);
  reply.deliver(std::move(out));
}

void supervisor_state::answer(const msg::describe_host&,
                              promise<msg::host_info> reply) {
  auto out = msg::host_info{};
  out.version = TROUPE_VERSION;
  out.pid = ::getpid();
  out.shim_pid = shim_pid;
  out.shim_version = shim_version;
  out.spare_launchers = spare_launchers;
  out.started = started;
  out.root = with->settings->root;
  out.state = with->settings->state;
  out.kernel = kernel;
  out.cgroup_mode = mode_names[static_cast<std::size_t>(with->host.cgroups)];
  out.cgroup_parent = with->host.cgroup_parent;
  for (const auto& [id, each] : containers) {
    ++out.containers;
    out.running += each.now->status == status::running
                   || each.now->status == status::pausing;
    out.paused += each.now->status == status::paused;
    out.stopped += each.now->status == status::stopped;
  }
  const auto nothing_after = std::numeric_limits<std::int64_t>::max();
  self
    ->request(with->events, seq_patience,
              msg::read_events{nothing_after, 1, {}, {}})
    .then(
      [this, out, reply](const msg::events& x) mutable {
        out.last_seq = last_seq = x.last_seq;
        reply.deliver(out);
      },
      [this, out, reply](const caf::error&) mutable {
        out.last_seq = last_seq; // The newest that is known.
        reply.deliver(out);
      });
}

void supervisor_state::answer(const msg::upgrade_shim& x,
                              promise<msg::host_info> reply) {
  const auto& path = x.program.empty() ? with->shim_program : x.program;
  self->request(with->planner, upgrade_patience, msg::copy_program{path})
    .then([this, path,
           reply](const msg::program& found) { upgrade(found, path, reply); },
          [reply](const caf::error& why) mutable {
            reply.deliver(to_caf(from_caf(why).during("upgrade")));
          });
}

void supervisor_state::upgrade(const msg::program& to, const std::string& path,
                               promise<msg::host_info> reply) {
  call_shim(self, with->shim, upgrade_patience,
            msg::shim_call{shim::upgrade{}, {to.copy}}, nullptr,
            [this, path, reply](const outcome& how) mutable {
              if (!how) {
                spdlog::error("shim: not upgraded to {}: {}", path,
                              how.error().what);
                reply.deliver(to_caf(how.error()));
                return;
              }
              spdlog::info("shim: upgraded to {}", path);
              upgraders.push_back(reply);
              self->send(with->shim, msg::await_sync{self});
            });
}

// -- facts --------------------------------------------------------------------

void supervisor_state::changed(const msg::shared_snapshot& x) {
  const auto found = containers.find(x->id);
  if (found == containers.end())
    return;
  const auto was_adopting = std::exchange(found->second.adopting, false);
  if (was_adopting && ready) // rebuilt after a crash
    self->send(found->second.actor, watch_begins());
  if (x->status == status::destroyed)
    containers.erase(found);
  else
    found->second.now = x;
  if (was_adopting)
    adopted_one();
  await_removals();
}

void supervisor_state::peer_down(const caf::down_msg& x) {
  if (x.source == with->shim) {
    if (!closing && !leaving)
      spdlog::critical("the shim is gone: {}", from_caf(x.reason).what);
    if (!closing)
      leave(to_caf({fault::unavailable, 0, "the shim is gone"}));
    return;
  }
  std::erase_if(orphans,
                [&](const auto& each) { return x.source == each.second; });
  const auto found = std::find_if(
    containers.begin(), containers.end(),
    [&](const auto& each) { return x.source == each.second.actor; });
  if (found == containers.end()) {
    leave_if_alone();
    return;
  }
  const auto was_adopting = std::exchange(found->second.adopting, false);
  if (!leaving && x.reason && x.reason != caf::exit_reason::user_shutdown)
    crashed(found->first, x.reason);
  else
    containers.erase(found);
  if (was_adopting)
    adopted_one();
  await_removals();
  leave_if_alone();
}

namespace {

supervisor_actor::behavior_type supervisor(supervisor_state::pointer self,
                                           shared_services with) {
  guard(self);
  auto& state = self->state;
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.peer_down(x); });
  self->set_exit_handler(
    [&state](const caf::exit_msg& x) { state.leave(x.reason); });
  state.begin(std::move(with));
  return {
    [&state](const msg::create_container& x) {
      return state.serve<msg::snapshot>(x);
    },
    [&state](const msg::find_container& x) {
      return state.serve<msg::container_found>(x);
    },
    [&state](const msg::list_containers& x) {
      return state.serve<msg::snapshots>(x);
    },
    [&state](const msg::describe_host& x) {
      return state.serve<msg::host_info>(x);
    },
    [&state](const msg::upgrade_shim& x) {
      return state.serve<msg::host_info>(x);
    },
    [&state](const msg::shut_down& x) { return state.serve<msg::done>(x); },
    [&state](const msg::container_changed& x) { state.changed(x.now); },
    [&state](const msg::shim_synced& x) { state.synced(x); },
    [&state](const msg::deadline& x) { state.fell_due(x); },
  };
}

} // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system,
                                  shared_services with) {
  return system.spawn(supervisor, std::move(with));
}

} // namespace troupe
