#include "actors/cluster/basp.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"

#include <caf/actor_cast.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/scribe_impl.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace troupe::cluster {

namespace {

/// Of the one actor that is published. No port of anything.
constexpr std::uint16_t node_port = 1;
constexpr auto connect_patience = std::chrono::seconds{5};

/// CAF's own aborts the process when it is asked for the address of a unix
/// socket, and BASP asks.
struct socket_scribe : caf::io::network::scribe_impl {
  using scribe_impl::scribe_impl;

  std::string addr() const override {
    return "link";
  }
  std::uint16_t port() const override {
    return 0;
  }
};

caf::io::scribe_ptr scribe_of(caf::actor_system& system,
                              sys::unique_fd stream) {
  auto& multiplexer = dynamic_cast<caf::io::network::default_multiplexer&>(
    system.middleman().backend());
  return caf::make_counted<socket_scribe>(multiplexer, stream.release());
}

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(
    caf::atom("BASP"));
}

std::set<std::string> interface_of(caf::actor_system& system) {
  return system.message_types(caf::detail::type_list<node_actor>{});
}

/// Asks once, and ends.
caf::behavior connector(caf::event_based_actor* self,
                        const caf::io::scribe_ptr& over,
                        const std::function<void(result<node_actor>)>& found) {
  guard(self);
  const auto fails = [self, found](const caf::error& why) {
    found(fail(from_caf(why)));
    self->quit();
  };
  self
    ->request(broker_of(self->system()), connect_patience, caf::connect_atom_v,
              over, node_port)
    .then(
      [self, found](const caf::node_id&, const caf::strong_actor_ptr& whom,
                    const std::set<std::string>& speaks) {
        if (whom
            && self->system().assignable(speaks, interface_of(self->system())))
          found(caf::actor_cast<node_actor>(whom));
        else
          found(fail(fault::unsupported, "no node of this version is there"));
        self->quit();
      },
      fails);
  return {};
}

} // namespace

void basp_serve(caf::actor_system& system, sys::unique_fd stream,
                node_actor node) {
  caf::anon_send(broker_of(system), caf::publish_atom_v,
                 scribe_of(system, std::move(stream)), node_port,
                 caf::actor_cast<caf::strong_actor_ptr>(std::move(node)),
                 interface_of(system));
}

void basp_connect(caf::actor_system& system, sys::unique_fd stream,
                  std::function<void(result<node_actor>)> found) {
  system.spawn(connector, scribe_of(system, std::move(stream)),
               std::move(found));
}

} // namespace troupe::cluster
