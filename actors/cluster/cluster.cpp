#include "actors/cluster/cluster.hpp"

#include "actors/errors.hpp"
#include "config/base/clock.hpp"
#include "runtime/linux/file.hpp"

#include <caf/exit_reason.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace troupe::cluster {

namespace {

constexpr auto goodbye_patience = std::chrono::seconds{1};

struct certificates {
  tls::identity who;
  tls::context how;
};

result<certificates> read_certificates(const cluster_settings& from) {
  TROUPE_TRY(const auto ca, sys::read_file(AT_FDCWD, from.ca));
  TROUPE_TRY(auto own, sys::read_file(AT_FDCWD, from.certificate));
  TROUPE_TRY(auto key, sys::read_file(AT_FDCWD, from.key));
  auto who = tls::identity_of_pem(own);
  if (!who)
    return fail(std::move(who).error().during(from.certificate));
  if (who->as != tls::role::member)
    return fail(fault::invalid_config,
                from.certificate + ": an observer's; a node is a member");
  auto how = tls::make_context(ca, {std::move(own), std::move(key)});
  if (!how)
    return fail(std::move(how).error().during(from.certificate));
  return certificates{*std::move(who), *std::move(how)};
}

} // namespace

void configure(caf::actor_system_config& config, const cluster_settings& from) {
  config.add_message_types<caf::id_block::troupe_handles>();
  config.add_message_types<caf::id_block::troupe_cluster>();
  config.add_message_types<caf::id_block::troupe_cluster_handles>();
  if (!from.is_on())
    return;
  config.load<caf::io::middleman>();
  // Both, on both sides, or CAF does not notice who hangs (caf-0.17.md, 5.2).
  // Ours is the judge: CAF's comes later.
  config.set("middleman.heartbeat-interval",
             caf::timespan{std::chrono::milliseconds{from.heartbeat_ms}});
  config.set("middleman.connection-timeout",
             caf::timespan{std::chrono::milliseconds{2 * from.down_after_ms}});
  config.set("middleman.workers", std::size_t{1});
}

result<node_actor> await_node(caf::scoped_actor& self,
                              const cluster_actor& here,
                              const std::string& name, caf::timespan patience) {
  constexpr auto pause = std::chrono::milliseconds{50};
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    result<node_actor> out = fail(fault::node_unreachable, "node " + name);
    self->request(here, patience, msg::find_node{name})
      .receive([&](const msg::node_found& x) { out = x.node; },
               [&](const caf::error& why) { out = fail(from_caf(why)); });
    if (out || std::chrono::steady_clock::now() > end)
      return out;
    std::this_thread::sleep_for(pause);
  }
}

result<std::unique_ptr<service>> service::start(caf::actor_system& system,
                                                const cluster_settings& from,
                                                node_origin origin,
                                                basp_links::http http) {
  TROUPE_TRY(auto mine, read_certificates(from));
  TROUPE_TRY(const auto at, parse_host_port(from.listen));
  std::unique_ptr<service> out{new service{from, mine.who.name}};
  out->links_ = std::make_shared<basp_links>(system, std::move(http));
  TROUPE_CHECK(out->links_->listen(at, std::move(mine.how)));
  origin.name = out->name_;
  origin.incarnation = static_cast<std::uint64_t>(now_ns());
  origin.settings = from;
  origin.links = out->links_;
  out->node_ = spawn_node(system, std::move(origin));
  return out;
}

void service::begin() {
  links_->begin(node_);
}

outcome service::reload() {
  TROUPE_TRY(auto mine, read_certificates(settings_));
  if (mine.who.name != name_)
    return fail(fault::invalid_config, settings_.certificate + ": from " + name_
                                         + " to " + mine.who.name
                                         + " takes a restart");
  links_->replace(std::move(mine.how));
  return {};
}

void service::stop() {
  {
    caf::scoped_actor self{node_->home_system()};
    self->monitor(node_);
    self->send_exit(node_, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {},
                  caf::after(goodbye_patience) >> [] {});
  }
  node_ = nullptr;
  links_->stop();
}

} // namespace troupe::cluster
