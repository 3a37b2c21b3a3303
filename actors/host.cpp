#include "actors/host.hpp"

#include "actors/event_log.hpp"
#include "actors/planner.hpp"
#include "actors/sampler.hpp"
#include "actors/shim_link.hpp"
#include "actors/supervisor.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/daemon.hpp"
#include "runtime/linux/kernel_log.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/probe/host.hpp"
#include "runtime/probe/systemd.hpp"
#include "runtime/shim/protocol/start.hpp"
#include "runtime/store/layout.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <utility>

namespace troupe {

namespace {

result<std::string> own_directory() {
  std::error_code why;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", why);
  if (why)
    return fail_os(why.value(), "readlink", "/proc/self/exe");
  return self.parent_path().string();
}

result<std::string> shim_program(const settings& from) {
  if (!from.shim.empty())
    return from.shim;
  TROUPE_TRY(const auto directory, own_directory());
  return directory + "/troupe-shim";
}

/// Connects to the shim that is there, or starts one.
result<sys::unique_fd> reach_shim(const settings& from,
                                  const std::string& program) {
  const auto path = from.root + "/shim.sock";
  if (auto there = sys::seqpacket_connect(path)) {
    spdlog::info("shim found at {}", path);
    TROUPE_CHECK(shim::agree_on_protocol(there->get(), program));
    return there;
  }
  TROUPE_CHECK(shim::start_shim(program, path, from.spare_launchers));
  spdlog::info("shim {} started at {}", program, path);
  return sys::seqpacket_connect(path);
}

result<sys::unique_fd> take_root(const settings& from) {
  TROUPE_CHECK(sys::make_private_directory(from.root));
  TROUPE_CHECK(sys::make_private_directory(from.state));
  TROUPE_CHECK(store::directory{from.root}.prepare());
  auto lock = sys::take_lock(from.root + "/trouped.lock");
  if (!lock && lock.error().code == fault::already_exists)
    return fail(fault::already_exists, "another trouped (pid "
                                         + lock.error().what + ") runs on "
                                         + from.root);
  TROUPE_CHECK(store::claim_layout(from.root));
  TROUPE_CHECK(store::claim_layout(from.state));
  return lock;
}

/// Removes the cgroups of what has stopped, and then our cgroup parent where
/// nothing is left in it: their counters have been read, and the host gets its
/// memory back. What runs keeps both.
void release_cgroups(const std::string& root, const plan::host_facts& host) {
  constexpr auto patience = std::chrono::seconds{1};
  if (const auto all = store::directory{root}.load(); all)
    for (const auto& each : *all)
      if (each.usable && each.state.status == "stopped")
        static_cast<void>(cgroup::remove(each.plan.cgroup, patience));
  plan::cgroup all;
  all.mode = host.cgroups;
  for (const auto& [controller, mount] : host.v1_mounts)
    all.dirs.push_back({controller, mount, host.cgroup_parent});
  if (!host.v2_mount.empty())
    all.dirs.push_back({"", host.v2_mount, host.cgroup_parent});
  cgroup::remove_parent(all, host.cgroup_parent);
}

} // namespace

result<host::base> host::prepare(const settings& from) {
  base out;
  TROUPE_TRY(out.lock, take_root(from));
  TROUPE_TRY(out.shim_program, shim_program(from));
  TROUPE_TRY(out.shim, reach_shim(from, out.shim_program));
  return out;
}

result<std::unique_ptr<host>>
host::start(const settings& from, base on,
            const std::function<void(caf::actor_system_config&)>& more) {
  std::unique_ptr<host> out{new host{from, std::move(on)}};
  if (more)
    more(out->config_);
  auto found = std::async(std::launch::async, [root = from.root] {
    return store::directory{root}.load();
  });
  TROUPE_TRY(out->reactor_, reactor::start());
  out->system_.emplace(out->config_);
  TROUPE_CHECK(out->spawn(from, std::move(found)));
  return out;
}

outcome host::spawn(const settings& from, found_containers found) {
  auto& x = *parts_;
  x.host = sys::probe_host(from.cgroup_parent);
  if (from.systemd_cgroup) {
    TROUPE_TRY(const auto directory, own_directory());
    TROUPE_TRY(x.host.scope_helper, sys::find_scope_helper(directory));
  }
  x.found = std::make_shared<found_containers>(std::move(found));
  x.shim = spawn_shim_link(*system_, reactor_->poller(), std::move(base_.shim));
  std::string warning;
  const std::chrono::nanoseconds oldest{
    std::chrono::seconds{from.event_max_age_s}};
  TROUPE_TRY(x.events,
             spawn_event_log(*system_, from.state + "/events.db",
                             {from.event_max_count, oldest.count()}, warning));
  if (!warning.empty())
    spdlog::error("{}", warning);
  x.planner = spawn_planner(*system_, x.host);
  x.reactor = &reactor_->poller();
  x.file_watches = &reactor_->file_watches();
  x.store = store::directory{from.root};
  x.settings.replace(from);
  x.gate = std::make_shared<launch_gate>(from.launches_at_once,
                                         from.launch_queue);
  x.shim_program = base_.shim_program;
  if (auto log = sys::kernel_log::open())
    x.kernel_log = *std::move(log);
  else
    spdlog::warn("OOM kills without their victims: {}", log.error().what);
  supervisor_ = spawn_supervisor(*system_, parts_);
  x.sampler = spawn_sampler(*system_, x.host, supervisor_);
  return {};
}

/// Whoever holds a part of it must be gone: the actor system waits for the end
/// of every actor.
host::~host() {
  const auto end = [](auto& whom) {
    if (whom)
      caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
    whom = nullptr;
  };
  end(supervisor_);
  end(parts_->planner);
  end(parts_->sampler);
  end(parts_->events);
  end(parts_->shim);
  const auto facts = parts_->host;
  parts_.reset();
  system_.reset();
  release_cgroups(root_, facts);
}

} // namespace troupe
