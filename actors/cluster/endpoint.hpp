#pragma once

#include "actors/cluster/greeting.hpp"
#include "config/cluster_settings.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/tls/context.hpp"
#include "runtime/tls/identity.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace troupe::cluster {

/// One connection to another node, of one endpoint; never used twice.
using link_id = std::uint64_t;

/// What the endpoint has to say. Called in its thread; must not block.
class endpoint_user {
public:
  endpoint_user() = default;
  endpoint_user(const endpoint_user&) = delete;
  endpoint_user& operator=(const endpoint_user&) = delete;
  virtual ~endpoint_user() = default;

  /// A node wants a link: to be answered by `endpoint::answer`.
  virtual void asked(link_id which, const greeting& by) = 0;

  /// `which` is a link to `to` now; `stream` is our end of it, a socket.
  /// `dialed`: it is one of ours.
  virtual void linked(link_id which, const greeting& to, sys::unique_fd stream,
                      bool dialed)
    = 0;

  /// A link of ours has not come about. `by`: the name of who has refused it,
  /// if it got so far.
  virtual void not_linked(link_id which, const std::string& by, failure why)
    = 0;

  /// A link is gone.
  virtual void unlinked(link_id which, const std::string& why) = 0;

  /// Somebody wants to speak HTTP.
  virtual void client(const tls::identity& who, sys::unique_fd stream) = 0;
};

class switchboard;

/// Where nodes meet: TLS with certificates on both sides, in a thread of its
/// own, `troupe.cluster`. Nobody gets beyond it who has not proved who he is,
/// and that within a few seconds. What comes through it is handed on as one end
/// of a socket pair. Not an actor itself.
class endpoint {
public:
  /// Listens. `user` must outlive the endpoint, and is called from the moment
  /// of `begin` on.
  [[nodiscard]] static result<std::unique_ptr<endpoint>>
  start(const host_port& at, tls::context how, endpoint_user& user);

  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;
  ~endpoint(); ///< Closes everything, and joins.

  /// Serves.
  void begin();

  /// Connects to the node at `address`, called `name` unless that is empty.
  link_id dial(host_port address, std::string name, greeting mine);

  /// Answers `asked`; with a refusal, that is its end. One that is gone
  /// already: nothing.
  void answer(link_id which, greeting mine);

  /// Closes a link, or gives it up before it is one. Nothing is told of it.
  void drop(link_id which);

  /// Other certificates for connections from now on.
  void replace(tls::context how);

private:
  explicit endpoint(std::shared_ptr<switchboard> board);

  std::shared_ptr<switchboard> board_;
  std::thread thread_;
};

} // namespace troupe::cluster
