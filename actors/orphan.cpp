#include "actors/orphan.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/shim_calls.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <functional>
#include <utility>

namespace troupe {

namespace {

struct orphan_state {
  using pointer = process_owner_actor::stateful_pointer<orphan_state>;

  static constexpr const char* name = "orphan";

  explicit orphan_state(pointer me) : self(me) {
  }

  void begin(shared_services services, remains all);
  void kill(const shim::process_key& key);
  void changed(const shim::record& x);
  void gone(const shim::process_key& key);
  void tear_down();
  void compile();
  void end();
  void call(shim::request what, std::vector<msg::shared_fd> fds,
            caf::timespan patience, std::function<void(const outcome&)> done);

  pointer self;
  shared_services with;
  remains of;
};

void orphan_state::begin(shared_services services, remains all) {
  with = std::move(services);
  of = std::move(all);
  if (of.processes.empty())
    tear_down();
  for (const auto& each : of.processes)
    kill(each);
}

void orphan_state::kill(const shim::process_key& key) {
  spdlog::error("process {} has no container and is killed", key);
  self->send(with->shim, msg::own_process{key, self});
  call(shim::signal{0, key, SIGKILL}, {}, shim_patience,
       [key](const outcome& sent) {
         if (!sent) // It may have ended by itself.
           spdlog::warn("process {} is not killed: {}", key, sent.error().what);
       });
}

void orphan_state::changed(const shim::record& x) {
  if (x.state == shim::process_state::exited
      || x.state == shim::process_state::failed)
    call(shim::forget{0, x.key}, {}, shim_patience,
         [this, key = x.key](const outcome&) { gone(key); });
}

void orphan_state::gone(const shim::process_key& key) {
  self->send(with->shim, msg::disown_process{key});
  if (std::erase(of.processes, key) > 0 && of.processes.empty())
    tear_down();
}

void orphan_state::tear_down() {
  if (!of.launched)
    return end();
  if (!of.plan)
    return compile();
  auto fds = plan_fds(*of.plan);
  if (!fds) {
    spdlog::error("container {} is not torn down: {}", of.id, fds.error().what);
    return end();
  }
  call(shim::teardown{0, of.id}, *std::move(fds), launch_patience(*with),
       [this](const outcome& done) {
         if (!done)
           spdlog::error("container {} leaves something behind: {}", of.id,
                         done.error().what);
         end();
       });
}

/// The plan is damaged, but its config.json tells the same.
void orphan_state::compile() {
  auto config = with->store.read_config(of.id);
  if (!config) {
    spdlog::error("container {} leaves its cgroup behind: {}", of.id,
                  config.error().what);
    return end();
  }
  self
    ->request(with->planner, launch_patience(*with),
              msg::compile_launch{
                of.id, with->store.path_of(of.id), {}, *std::move(config), {}})
    .then(
      [this](const msg::compiled_launch& x) {
        of.plan = x.plan;
        tear_down();
      },
      [this](const caf::error& why) {
        spdlog::error("container {} leaves its cgroup behind: {}", of.id,
                      from_caf(why).what);
        end();
      });
}

void orphan_state::end() {
  if (of.has_directory)
    if (auto removed = with->store.remove(of.id); !removed)
      spdlog::error("container {} leaves its directory: {}", of.id,
                    removed.error().what);
  self->quit();
}

void orphan_state::call(shim::request what, std::vector<msg::shared_fd> fds,
                        caf::timespan patience,
                        std::function<void(const outcome&)> done) {
  call_shim(self, with->shim, patience,
            msg::shim_call{std::move(what), std::move(fds)}, nullptr,
            std::move(done));
}

process_owner_actor::behavior_type orphan(orphan_state::pointer self,
                                          shared_services with, remains of) {
  guard(self);
  auto& state = self->state;
  state.begin(std::move(with), std::move(of));
  return {
    [&state](const msg::process_changed& x) { state.changed(x.record); },
    [](const msg::process_warned& x) {
      spdlog::warn("process {} without a container warns: {}", x.warning.key,
                   x.warning.what);
    },
  };
}

} // namespace

process_owner_actor spawn_orphan(caf::actor_system& system,
                                 shared_services with, remains of) {
  return system.spawn(orphan, std::move(with), std::move(of));
}

} // namespace troupe
