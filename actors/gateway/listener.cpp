#include "actors/gateway/listener.hpp"

#include "actors/gateway/faults.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/linux/stream_socket.hpp"

#include <caf/actor_system.hpp>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::gateway {

namespace {

/// Beyond this many not even a 503 is worth a descriptor.
constexpr std::size_t hopeless = max_connections + 64;

/// After accept(2) has failed for want of descriptors: asking again at once
/// would spin.
constexpr auto accept_pause = std::chrono::milliseconds{100};

} // namespace

listener::listener(std::shared_ptr<net::io_context> thread,
                   caf::actor_system& system, shared_origin from,
                   sys::unique_fd socket, std::string own_path)
  : thread_(std::move(thread)),
    system_(system),
    from_(std::move(from)),
    acceptor_(*thread_, net::local::stream_protocol{}, socket.release()),
    pause_(*thread_),
    own_path_(std::move(own_path)) {
}

/// Waits here and accepts by accept4(2), because Asio 1.74's own accept makes
/// descriptors without CLOEXEC.
void listener::accept() {
  acceptor_.async_wait(net::socket_base::wait_read,
                       [self = shared_from_this()](beast::error_code why) {
                         if (!why)
                           self->take_all();
                       });
}

void listener::take_all() {
  for (;;) {
    auto fd = sys::stream_accept(acceptor_.native_handle());
    if (fd) {
      take(*std::move(fd));
      continue;
    }
    if (fd.error().os_errno == EAGAIN || fd.error().os_errno == ECONNABORTED)
      return accept();
    spdlog::warn("gateway: {}", fd.error().what);
    return rest();
  }
}

void listener::rest() {
  pause_.expires_after(accept_pause);
  pause_.async_wait([self = shared_from_this()](beast::error_code why) {
    if (!why)
      self->accept();
  });
}

void listener::take(sys::unique_fd fd) {
  if (connections_.size() >= hopeless)
    return;
  const auto peer = sys::credentials_of(fd.get());
  if (!peer) {
    spdlog::warn("gateway: connection dropped: {}", peer.error().what);
    return;
  }
  auto who = visitor{"uid " + std::to_string(peer->uid) + " pid "
                       + std::to_string(peer->pid),
                     peer->pid, false};
  const auto is_root = peer->uid == 0 || peer->uid == ::geteuid();
  if (!is_root)
    spdlog::warn("audit: {}: turned away", who.name);
  const auto fresh = open(std::move(fd), std::move(who));
  if (fresh && is_root)
    greet(fresh);
  else if (fresh)
    fresh->turn_away(error_response(403, "denied", "only root is served"));
}

void listener::adopt(sys::unique_fd fd, visitor who) {
  if (closing_ || connections_.size() >= hopeless)
    return;
  if (const auto fresh = open(std::move(fd), std::move(who)))
    greet(fresh);
}

/// Null: it is gone already.
std::shared_ptr<connection> listener::open(sys::unique_fd fd, visitor who) {
  beast::error_code why;
  connection::socket socket{*thread_};
  socket.assign(net::local::stream_protocol{}, fd.get(), why);
  if (why) {
    spdlog::warn("gateway: connection dropped: {}", why.message());
    return nullptr;
  }
  static_cast<void>(fd.release());
  auto fresh = std::make_shared<connection>(
    thread_, std::move(socket), std::move(who),
    [self = shared_from_this()](connection* which) { self->forget(which); });
  connections_.emplace(fresh.get(), fresh);
  return fresh;
}

void listener::greet(const std::shared_ptr<connection>& fresh) {
  if (connections_.size() > max_connections) {
    fresh->turn_away(
      error_response(503, "unavailable", "too many connections"));
    return;
  }
  fresh->start(system_.spawn(serve_client, from_,
                             std::static_pointer_cast<client>(fresh)));
}

void listener::close(std::chrono::milliseconds grace) {
  if (!own_path_.empty())
    ::unlink(own_path_.c_str());
  beast::error_code ignored;
  acceptor_.close(ignored);
  pause_.expires_after(grace);
  pause_.async_wait([self = shared_from_this()](beast::error_code) {
    const auto left = self->connections_;
    for (const auto& [which, each] : left)
      each->drop();
  });
  closing_ = true;
  const auto open = connections_; // They leave the map as they close.
  for (const auto& [which, each] : open)
    each->wind_up();
  if (open.empty())
    pause_.cancel(ignored);
}

void listener::forget(connection* which) {
  connections_.erase(which);
  beast::error_code ignored;
  if (closing_ && connections_.empty())
    pause_.cancel(ignored); // The thread ends once nothing is pending.
}

} // namespace troupe::gateway
