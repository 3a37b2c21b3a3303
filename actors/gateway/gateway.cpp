#include "actors/gateway/gateway.hpp"

#include "actors/gateway/listener.hpp"
#include "runtime/linux/stream_socket.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <utility>

namespace troupe::gateway {

namespace {

constexpr auto short_grace = std::chrono::milliseconds{100};

} // namespace

server::server(std::shared_ptr<listener> with) : listener_(std::move(with)) {
  net::post(listener_->thread(), [to = listener_] { to->accept(); });
  thread_ = std::thread{[to = listener_] { to->thread().run(); }};
  pthread_setname_np(thread_.native_handle(), "troupe.gateway");
}

result<std::unique_ptr<server>>
server::start(caf::actor_system& system, const std::string& socket_path,
              supervisor_actor supervisor, shared_services with,
              sys::unique_fd passed, cluster_actor cluster) {
  const auto own_path = passed ? "" : socket_path;
  auto socket = std::move(passed);
  if (!socket) {
    TROUPE_TRY(socket, sys::stream_listen(socket_path));
  }
  auto from = std::make_shared<const origin>(
    origin{std::move(supervisor), std::move(with), std::move(cluster)});
  return std::unique_ptr<server>{new server{
    std::make_shared<listener>(std::make_shared<net::io_context>(1), system,
                               std::move(from), std::move(socket), own_path)}};
}

server::~server() {
  stop(short_grace);
}

void server::adopt(sys::unique_fd stream, visitor who) {
  net::post(listener_->thread(),
            [to = listener_, who = std::move(who),
             fd = std::make_shared<sys::unique_fd>(std::move(stream))] {
              to->adopt(std::move(*fd), who);
            });
}

void server::stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable())
    return;
  net::post(listener_->thread(), [to = listener_, grace] { to->close(grace); });
  thread_.join();
}

} // namespace troupe::gateway
