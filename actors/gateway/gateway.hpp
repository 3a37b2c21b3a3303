#pragma once

#include "actors/cluster/messages.hpp"
#include "actors/gateway/request.hpp"
#include "actors/services.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace troupe::gateway {

class listener;

/// The HTTP API (docs/api.md) on a unix socket: one thread, `troupe.gateway`,
/// that owns every connection, and one GATEWAY SESSION per connection. Not an
/// actor itself.
class server {
public:
  /// Listens at `socket_path`, and serves from the moment it returns. With
  /// `passed`, a socket that listens already and whose path is somebody else's
  /// to remove, it serves that.
  [[nodiscard]] static result<std::unique_ptr<server>>
  start(caf::actor_system& system, const std::string& socket_path,
        supervisor_actor supervisor, shared_services with,
        sys::unique_fd passed = {}, cluster_actor cluster = {});

  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Stops with a short grace, if that was not done.
  ~server();

  /// Serves somebody who has come another way, over TLS. Any thread.
  void adopt(sys::unique_fd stream, visitor who);

  /// Takes no more connections, removes the socket, answers what is waiting
  /// with `unavailable`, and lets what is under way end for at most `grace`.
  /// Returns when every connection is gone.
  void stop(std::chrono::milliseconds grace);

private:
  explicit server(std::shared_ptr<listener> with);

  std::shared_ptr<listener> listener_;
  std::thread thread_;
};

} // namespace troupe::gateway
