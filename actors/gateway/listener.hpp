#pragma once

#include "actors/gateway/connection.hpp"

#include <boost/asio/steady_timer.hpp>
#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace troupe::gateway {

/// Connections at once; further ones are told 503.
inline constexpr std::size_t max_connections = 1024;

/// Takes connections and knows those that there are. Lives in the gateway's
/// thread.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(std::shared_ptr<net::io_context> thread, caf::actor_system& system,
           shared_origin from, sys::unique_fd socket, std::string own_path);

  [[nodiscard]] net::io_context& thread() noexcept {
    return *thread_;
  }

  void accept();

  /// Serves somebody who has come another way.
  void adopt(sys::unique_fd fd, visitor who);

  /// Ends as server::stop says.
  void close(std::chrono::milliseconds grace);

private:
  void take_all();
  void take(sys::unique_fd fd);
  void rest();
  void forget(connection* which);
  std::shared_ptr<connection> open(sys::unique_fd fd, visitor who);
  void greet(const std::shared_ptr<connection>& fresh);

  std::shared_ptr<net::io_context> thread_;
  caf::actor_system& system_;
  shared_origin from_;
  net::local::stream_protocol::acceptor acceptor_;
  net::steady_timer pause_;
  std::string own_path_; ///< To be removed at the end; "": nothing is.
  std::unordered_map<connection*, std::shared_ptr<connection>> connections_;
  bool closing_ = false;
};

} // namespace troupe::gateway
