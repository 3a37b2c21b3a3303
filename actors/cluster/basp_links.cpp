#include "actors/cluster/basp_links.hpp"

#include "actors/cluster/basp.hpp"
#include "actors/errors.hpp"
#include "config/cluster_settings.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace troupe::cluster {

basp_links::basp_links(caf::actor_system& system, http serve)
  : system_(system), serve_(std::move(serve)) {
}

outcome basp_links::listen(const host_port& at, tls::context how) {
  TROUPE_TRY(endpoint_, endpoint::start(at, std::move(how), *this));
  return {};
}

void basp_links::begin(cluster_actor node) {
  node_ = std::move(node);
  endpoint_->begin();
}

void basp_links::stop() {
  endpoint_.reset();
  node_ = nullptr;
}

// -- from the NODE ------------------------------------------------------------

link_id basp_links::dial(const std::string& address, const std::string& name,
                         greeting mine) {
  auto at = parse_host_port(address);
  if (at)
    return endpoint_->dial(*std::move(at), name, std::move(mine));
  spdlog::error("node {}: {}", name, at.error().what); // A peer's record.
  return 0;
}

void basp_links::answer(link_id which, greeting mine) {
  endpoint_->answer(which, std::move(mine));
}

void basp_links::drop(link_id which) {
  endpoint_->drop(which);
}

void basp_links::speak(const msg::link_made& over, node_actor as) {
  auto stream = std::move(*over.stream);
  if (!over.dialed)
    return basp_serve(system_, std::move(stream), std::move(as));
  basp_connect(system_, std::move(stream),
               [to = node_, link = over.link,
                token = over.to.token](result<node_actor> found) {
                 caf::anon_send(to, msg::link_speaks{
                                      link, found ? *found : node_actor{},
                                      token, found ? "" : found.error().what});
               });
}

// -- from the endpoint --------------------------------------------------------

void basp_links::asked(link_id which, const greeting& by) {
  caf::anon_send(node_, msg::link_asked{which, by});
}

void basp_links::linked(link_id which, const greeting& to,
                        sys::unique_fd stream, bool dialed) {
  caf::anon_send(
    node_, msg::link_made{which, to,
                          std::make_shared<sys::unique_fd>(std::move(stream)),
                          dialed});
}

void basp_links::not_linked(link_id which, const std::string& by, failure why) {
  caf::anon_send(node_, msg::link_failed{which, by, std::move(why)});
}

void basp_links::unlinked(link_id which, const std::string& why) {
  caf::anon_send(node_, msg::link_ended{which, why});
}

void basp_links::client(const tls::identity& who, sys::unique_fd stream) {
  if (serve_)
    serve_(who, std::move(stream));
}

} // namespace troupe::cluster
