#pragma once

#include "actors/gateway/session.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::gateway {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

/// What a request may be at most.
inline constexpr std::uint32_t max_header = 16U << 10U;
inline constexpr std::uint64_t max_body = 4U << 20U;

/// How long a client may take for a request, or to read a whole answer.
inline constexpr auto idle_patience = std::chrono::seconds{75};

/// One client's connection. Lives in the gateway's thread; its session calls it
/// through `client`, from its own. It keeps the thread running until it is gone
/// itself, so that what its session still says is never lost on the way.
class connection : public client,
                   public std::enable_shared_from_this<connection> {
public:
  using socket = net::local::stream_protocol::socket;

  /// `ended` is called in the gateway's thread when the connection is over.
  connection(std::shared_ptr<net::io_context> thread, socket with, visitor peer,
             std::function<void(connection*)> ended);

  /// Reads requests from now on, for `by` to serve.
  void start(session_actor by);

  /// Answers without reading anything, and closes.
  void turn_away(response what);

  /// Closes as soon as what the client waits for is answered.
  void wind_up();

  /// Closes now.
  void drop();

  // client
  void respond(response what) override;
  void begin_stream(std::string content_type) override;
  void send(std::string chunk) override;
  void end_stream() override;
  void upgrade(std::string websocket_key,
               std::function<void(msg::shared_fd)> take) override;
  void close() override;

private:
  using error = beast::error_code;

  /// Runs `does` in the gateway's thread, unless the connection is over then.
  template <class Does>
  void post(Does does);

  /// The completion of a read or a write: `next` in the gateway's thread, or
  /// `failed`; nothing if the connection is over.
  template <class Next, class Failed>
  auto then(Next next, Failed failed);

  /// Of a write: without the client there is nobody left to serve.
  template <class Next>
  auto then(Next next);

  void watch_for_hang_up();
  void set_deadline(std::chrono::seconds patience);
  void read_request();
  void read_body();
  void refuse_request(error why);
  void dispatch();
  void answer(response what);
  void answered();
  void stream_written();
  void shake_hands(const std::string& websocket_key,
                   std::function<void(msg::shared_fd)> take);
  void hand_over(const std::function<void(msg::shared_fd)>& take);
  void close_gently();
  void discard_rest(std::size_t budget);

  std::shared_ptr<net::io_context> thread_;
  net::executor_work_guard<net::io_context::executor_type> keep_running_;
  socket socket_;
  net::steady_timer deadline_;
  visitor peer_;
  std::function<void(connection*)> ended_;
  session_actor session_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> answer_;
  http::response<http::empty_body> head_;
  std::optional<http::response_serializer<http::empty_body>> head_writer_;
  /// For the handshake alone: the shim speaks the rest.
  std::optional<beast::websocket::stream<socket&>> websocket_;
  std::string chunk_;
  bool head_only_ = false;   ///< The request is a HEAD.
  bool keep_alive_ = false;  ///< Another request may follow this one.
  bool serving_ = false;     ///< A request is not answered yet.
  bool writing_ = false;     ///< A piece of a stream is on its way.
  bool stream_ends_ = false; ///< The piece on its way is the last one.
  bool over_ = false;
};

} // namespace troupe::gateway
