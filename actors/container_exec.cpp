#include "actors/container_state.hpp"
#include "actors/exec_session.hpp"
#include "actors/shim_calls.hpp"
#include "config/base/container_id.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace troupe {

using lifecycle::operation;

namespace {

/// Ended sessions that are remembered at a time.
constexpr std::size_t remembered_sessions = 64;

/// A session has deadlines of its own; these are for one that is broken.
constexpr auto session_margin = std::chrono::seconds{30};
constexpr auto look_patience = std::chrono::seconds{5};

} // namespace

caf::result<msg::exec_created>
container_state::create_exec(const msg::create_exec& x) {
  if (auto may = may_exec(x); !may)
    return to_caf(std::move(may).error());
  auto config = with->store.read_config(now.id);
  if (!config)
    return to_caf(std::move(config).error().during(about("exec in")));
  auto id = random_id();
  auto reply = self->make_response_promise<msg::exec_created>();
  self
    ->request(with->planner,
              std::chrono::milliseconds{with->settings->launch_timeout_ms},
              msg::compile_exec{plan, *std::move(config), id, x})
    .then(
      [this, x, id, reply](const msg::compiled_exec& compiled) {
        open_session(x, id, compiled.plan, reply);
      },
      [reply](const caf::error& why) mutable { reply.deliver(why); });
  return reply;
}

/// A paused container is refused, unless somebody says that it may wait.
outcome container_state::may_exec(const msg::create_exec& x) const {
  if (x.preserve_fds != static_cast<std::int64_t>(x.preserved.all.size()))
    return fail(fault::invalid_config,
                "/preserve_fds: only a local caller can give descriptors");
  const auto is_paused = now.status == lifecycle::status::paused
                         || now.status == lifecycle::status::pausing;
  if (!(x.ignore_paused && is_paused))
    TROUPE_CHECK(allowed(operation::exec));
  return {};
}

void container_state::open_session(const msg::create_exec& x,
                                   const std::string& id,
                                   msg::shared_exec_plan compiled,
                                   exec_answer reply) {
  if (auto may = may_exec(x); !may) {
    reply.deliver(to_caf(std::move(may).error()));
    return;
  }
  for (const auto& warning : compiled->warnings)
    spdlog::warn("container {} exec {} does without: {}", now.id, id, warning);
  auto origin = exec_origin{};
  origin.container = now.id;
  origin.id = id;
  origin.owner = self;
  origin.cgroup = plan->cgroup;
  origin.request = x;
  origin.plan = std::move(compiled);
  auto session = spawn_exec_session(self->system(), with, std::move(origin));
  keep_session(id, session);
  publish();
  const auto patience = (x.ignore_paused ? pause_patience
                                         : launch_patience(*with))
                        + session_margin;
  self->request(session, patience, x)
    .then(
      [session, reply](const msg::exec_snapshot& created) mutable {
        reply.deliver(msg::exec_created{created, session});
      },
      [reply](const caf::error& why) mutable { reply.deliver(why); });
}

void container_state::keep_session(const std::string& id,
                                   exec_session_actor session) {
  self->monitor(session);
  sessions.emplace(id, std::move(session));
  now.execs.push_back(id);
}

caf::result<msg::exec_created>
container_state::find_exec(const std::string& session) {
  const auto found = sessions.find(session);
  if (found == sessions.end())
    return to_caf({fault::not_found, 0,
                   "container " + now.id + " has no exec session " + session});
  auto reply = self->make_response_promise<msg::exec_created>();
  self->request(found->second, look_patience, msg::take_snapshot{})
    .then(
      [handle = found->second, reply](const msg::exec_snapshot& x) mutable {
        reply.deliver(msg::exec_created{x, handle});
      },
      [reply](const caf::error& why) mutable { reply.deliver(why); });
  return reply;
}

/// A session tells its container when it ends: few ended ones are remembered.
void container_state::session_changed(const shim::record& x) {
  const auto id = x.key.substr(std::min(x.key.size(), now.id.size() + 1));
  if (x.state != shim::process_state::exited || !sessions.contains(id))
    return;
  if (std::find(ended_sessions.begin(), ended_sessions.end(), id)
      == ended_sessions.end())
    ended_sessions.push_back(id);
  if (ended_sessions.size() <= remembered_sessions)
    return;
  const auto oldest = sessions.find(ended_sessions.front());
  ended_sessions.pop_front();
  self->request(oldest->second, shim_patience, msg::remove{})
    .then([](const msg::exec_snapshot&) {},
          [id = oldest->first](const caf::error& why) {
            spdlog::warn("exec {} is not forgotten: {}", id,
                         from_caf(why).what);
          });
}

caf::result<msg::done> container_state::forget_execs() {
  auto reply = self->make_response_promise<msg::done>();
  remove_sessions([reply]() mutable { reply.deliver(msg::done{}); });
  return reply;
}

void container_state::remove_sessions(std::function<void()> done) {
  if (sessions.empty()) {
    done();
    return;
  }
  auto left = std::make_shared<std::size_t>(sessions.size());
  const auto one_less = [left, done = std::move(done)] {
    if (--*left == 0)
      done();
  };
  for (const auto& [id, session] : sessions)
    self->request(session, session_margin, msg::remove{true})
      .then([one_less](const msg::exec_snapshot&) { one_less(); },
            [one_less, id = id](const caf::error& why) {
              spdlog::warn("exec {} does not end: {}", id, from_caf(why).what);
              one_less();
            });
}

} // namespace troupe
