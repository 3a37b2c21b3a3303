// Runs a container and hears of its end, on this host or on another node of a
// cluster:
//
//   supervise DIR ROOTFS
//   supervise DIR ROOTFS NODE SEED LISTEN CA CERTIFICATE KEY
#include "actors/cluster/cluster.hpp"
#include "actors/cluster/monitor.hpp"
#include "actors/errors.hpp"
#include "actors/host.hpp"
#include "runtime/linux/daemon.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <iostream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Asks and waits; a failure ends the program with its sentence.
template <class Reply, class Handle, class Message>
Reply ask(caf::scoped_actor& self, const Handle& whom, Message what) {
  Reply out;
  self->request(whom, 60s, std::move(what))
    .receive([&](const Reply& x) { out = x; },
             [](const caf::error& why) { throw from_caf(why); });
  return out;
}

/// The same for a SUPERVISOR of this process and one of another host.
int run(caf::actor_system& system, const supervisor_actor& there,
        const std::string& rootfs) {
  caf::scoped_actor self{system};
  msg::create_container what;
  what.rootfs = rootfs;
  what.options = R"({"args": ["/bin/sh", "-c", "exit 7"]})";
  what.auto_remove = true;
  const auto made = ask<msg::snapshot>(self, there, what);
  const auto found = ask<msg::container_found>(self, there,
                                               msg::find_container{made.id});
  const auto ear = system.spawn(
    [to = caf::actor{self}]() -> container_listener_actor::behavior_type {
      return {[to](const msg::container_down& x) { caf::anon_send(to, x); }};
    });
  cluster::monitor_container(system, made.id, found.container, ear);
  ask<msg::snapshot>(self, found.container, msg::start{});
  msg::container_down end;
  self->receive([&](const msg::container_down& x) { end = x; });
  caf::anon_send_exit(ear, caf::exit_reason::user_shutdown);
  std::cout << end.id << (end.lost ? ": lost" : ": exit code ") << end.exit_code
            << '\n';
  return end.exit_code;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 9)
    return std::cerr << "usage: see the first lines of supervise.cpp\n", 2;
  settings from;
  from.root = argv[1] + std::string{"/run"};
  from.state = argv[1] + std::string{"/state"};
  from.cgroup_parent = "/troupe-example";
  if (argc == 9)
    from.cluster = {.listen = argv[5],
                    .address = {},
                    .join = {argv[4]},
                    .ca = argv[6],
                    .certificate = argv[7],
                    .key = argv[8],
                    .labels = {}};
  const auto signals = sys::divert_signals().value();
  const auto here
    = host::start(from, host::prepare(from).value(), [&](auto& config) {
        cluster::configure(config, from.cluster);
      }).value();
  if (argc == 3)
    return run(here->system(), here->supervisor(), argv[2]);

  const auto node
    = cluster::service::start(here->system(), from.cluster, {}, {}).value();
  node->begin();
  caf::scoped_actor self{here->system()};
  const auto peer = cluster::await_node(self, node->node(), argv[3], 30s);
  const auto there = ask<msg::node_handles>(self, peer.value(),
                                            msg::describe_node{});
  const auto code = run(here->system(), there.supervisor, argv[2]);
  node->stop();
  return code;
} catch (const failure& why) {
  std::cerr << why.what << '\n';
  return 1;
}
