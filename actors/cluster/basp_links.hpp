#pragma once

#include "actors/cluster/links.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace troupe::cluster {

/// Links as they are: an endpoint makes them, and what comes out of it is given
/// to CAF's BASP broker as one end of a socket pair. BASP listens nowhere.
class basp_links : public links, public endpoint_user {
public:
  /// `http`: serves an HTTP client that has proved who it is.
  using http = std::function<void(const tls::identity&, sys::unique_fd)>;

  basp_links(caf::actor_system& system, http serve);

  /// Listens; nothing happens before `begin`.
  [[nodiscard]] outcome listen(const host_port& at, tls::context how);

  /// Tells `node` from now on.
  void begin(cluster_actor node);

  /// Closes everything.
  void stop();

  void replace(tls::context how) {
    endpoint_->replace(std::move(how));
  }

  // -- links
  link_id dial(const std::string& address, const std::string& name,
               greeting mine) override;
  void answer(link_id which, greeting mine) override;
  void speak(const msg::link_made& over, node_actor as) override;
  void drop(link_id which) override;

  // -- endpoint_user, in the endpoint's thread
  void asked(link_id which, const greeting& by) override;
  void linked(link_id which, const greeting& to, sys::unique_fd stream,
              bool dialed) override;
  void not_linked(link_id which, const std::string& by, failure why) override;
  void unlinked(link_id which, const std::string& why) override;
  void client(const tls::identity& who, sys::unique_fd stream) override;

private:
  caf::actor_system& system_;
  http serve_;
  cluster_actor node_; ///< Set before the endpoint's thread begins.
  std::unique_ptr<endpoint> endpoint_;
};

} // namespace troupe::cluster
