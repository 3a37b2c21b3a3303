#include "actors/gateway/connection.hpp"

#include "actors/gateway/faults.hpp"
#include "config/base/quote.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/write.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace troupe::gateway {

namespace {

/// A client that is being refused may still be sending: closing at once would
/// reset the connection before it has read why. So much, and so long, is read
/// away for it.
constexpr std::size_t discarded_at_most = 64U << 20U;
constexpr auto discard_patience = std::chrono::seconds{2};

bool asks_for(const http::request<http::string_body>& x,
              std::string_view protocol) {
  return http::token_list{x[http::field::connection]}.exists("upgrade")
         && beast::iequals(x[http::field::upgrade],
                           {protocol.data(), protocol.size()});
}

std::string websocket_key_of(const http::request<http::string_body>& x) {
  if (!asks_for(x, "websocket")
      || x[http::field::sec_websocket_version] != "13")
    return {};
  return x[http::field::sec_websocket_key].to_string();
}

bool expects_continue(const http::request<http::string_body>& x) {
  return beast::iequals(x[http::field::expect], "100-continue");
}

} // namespace

connection::connection(std::shared_ptr<net::io_context> thread, socket with,
                       visitor peer, std::function<void(connection*)> ended)
  : thread_(std::move(thread)),
    keep_running_(thread_->get_executor()),
    socket_(std::move(with)),
    deadline_(*thread_),
    peer_(std::move(peer)),
    ended_(std::move(ended)) {
}

template <class Does>
void connection::post(Does does) {
  net::post(*thread_,
            [self = shared_from_this(), does = std::move(does)]() mutable {
              if (!self->over_)
                does(*self);
            });
}

template <class Next, class Failed>
auto connection::then(Next next, Failed failed) {
  return [self = shared_from_this(), next = std::move(next),
          failed = std::move(failed)](error why, std::size_t = 0) {
    if (self->over_)
      return;
    if (why)
      failed(*self, why);
    else
      next(*self);
  };
}

template <class Next>
auto connection::then(Next next) {
  return then(std::move(next), [](connection& self, error) { self.drop(); });
}

// -- life ---------------------------------------------------------------------

void connection::start(session_actor by) {
  session_ = std::move(by);
  watch_for_hang_up();
  read_request();
}

void connection::turn_away(response what) {
  watch_for_hang_up();
  answer(std::move(what));
}

void connection::wind_up() {
  keep_alive_ = false;
  if (!serving_)
    drop();
  else if (session_)
    caf::anon_send(session_, msg::closing{});
}

void connection::drop() {
  if (std::exchange(over_, true))
    return;
  error ignored;
  deadline_.cancel(ignored);
  socket_.close(ignored);
  if (session_)
    caf::anon_send_exit(session_, caf::exit_reason::user_shutdown);
  session_ = nullptr;
  ended_(this);
}

/// EPOLLHUP on a unix socket means that the peer has closed both directions;
/// one that has only shut down its writing still waits for its answer.
void connection::watch_for_hang_up() {
  socket_.async_wait(socket::wait_error,
                     [self = shared_from_this()](error why) {
                       if (!why)
                         self->drop();
                     });
}

void connection::set_deadline(std::chrono::seconds patience) {
  deadline_.expires_after(patience);
  deadline_.async_wait([self = shared_from_this()](error why) {
    // It may have been moved while this call was already queued.
    if (!why
        && self->deadline_.expiry() <= net::steady_timer::clock_type::now())
      self->drop();
  });
}

// -- requests -----------------------------------------------------------------

void connection::read_request() {
  parser_.emplace();
  parser_->header_limit(max_header);
  parser_->body_limit(max_body);
  buffer_.max_size(std::size_t{4} * max_header);
  set_deadline(idle_patience);
  http::async_read_header(
    socket_, buffer_, *parser_,
    then([](connection& self) { self.read_body(); },
         [](connection& self, error why) { self.refuse_request(why); }));
}

void connection::read_body() {
  const auto read = [this] {
    http::async_read(
      socket_, buffer_, *parser_,
      then([](connection& self) { self.dispatch(); },
           [](connection& self, error why) { self.refuse_request(why); }));
  };
  if (!expects_continue(parser_->get()) || parser_->is_done()) {
    read();
    return;
  }
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  net::async_write(socket_, net::buffer(go_on),
                   then([read](connection&) { read(); }));
}

void connection::refuse_request(error why) {
  keep_alive_ = false;
  if (why == http::error::body_limit)
    answer(error_response(413, "too_large", "body: longer than 4 MiB"));
  else if (why == http::error::header_limit
           || why == http::error::buffer_overflow)
    answer(error_response(431, "too_large", "headers: longer than 16 KiB"));
  else if (why.category() == make_error_code(http::error::bad_method).category()
           && why != http::error::end_of_stream
           && why != http::error::partial_message)
    answer(error_response(400, "bad_request",
                          "not an HTTP/1.1 request: " + why.message()));
  else
    drop(); // It has gone, before a request or in the middle of one.
}

void connection::dispatch() {
  deadline_.expires_at(net::steady_timer::time_point::max());
  auto& message = parser_->get();
  const auto method = message.method_string();
  const auto target = message.target();
  head_only_ = message.method() == http::verb::head;
  keep_alive_ = parser_->keep_alive();
  serving_ = true;
  if (message.method() != http::verb::get || asks_for(message, "websocket"))
    spdlog::info("audit: {}: {} {}", peer_.name,
                 std::string_view{method.data(), method.size()},
                 quote({target.data(), target.size()}));
  if (message.version() != 11) {
    keep_alive_ = false;
    answer(error_response(505, "http_version", "expected HTTP/1.1"));
    return;
  }
  auto what = std::make_shared<request>();
  what->method = method.to_string();
  what->target = target.to_string();
  what->wants_stream = asks_for(message, "troupe-stream");
  what->has_more = buffer_.size() != 0;
  what->websocket_key = websocket_key_of(message);
  what->peer = peer_.pid;
  what->observing = peer_.observing;
  what->body = std::move(message.body());
  parser_.reset();
  if (buffer_.size() == 0)
    buffer_.shrink_to_fit();
  caf::anon_send(session_, msg::serve{std::move(what)});
}

// -- answers ------------------------------------------------------------------

void connection::respond(response what) {
  post([what = std::move(what)](connection& self) mutable {
    self.answer(std::move(what));
  });
}

void connection::answer(response what) {
  answer_ = {};
  answer_.version(11);
  answer_.result(what.status);
  answer_.set(http::field::content_type, what.content_type);
  if (!what.allow.empty())
    answer_.set(http::field::allow, what.allow);
  if (what.offers_stream)
    answer_.set(http::field::upgrade, "troupe-stream");
  answer_.keep_alive(keep_alive_);
  answer_.content_length(what.body.size());
  if (!head_only_)
    answer_.body() = std::move(what.body);
  set_deadline(idle_patience);
  http::async_write(socket_, answer_,
                    then([](connection& self) { self.answered(); }));
}

void connection::answered() {
  serving_ = false;
  answer_ = {};
  if (keep_alive_)
    read_request();
  else
    close_gently();
}

void connection::begin_stream(std::string content_type) {
  post([content_type = std::move(content_type)](connection& self) {
    self.head_ = {};
    self.head_.version(11);
    self.head_.result(http::status::ok);
    self.head_.set(http::field::content_type, content_type);
    self.head_.keep_alive(self.keep_alive_);
    self.head_.chunked(true);
    self.head_writer_.emplace(self.head_);
    self.writing_ = true;
    self.stream_ends_ = false;
    http::async_write_header(
      self.socket_, *self.head_writer_,
      self.then([](connection& self) { self.stream_written(); }));
  });
}

void connection::send(std::string chunk) {
  post([chunk = std::move(chunk)](connection& self) mutable {
    self.chunk_ = std::move(chunk);
    self.writing_ = true;
    net::async_write(
      self.socket_, http::make_chunk(net::buffer(self.chunk_)),
      self.then([](connection& self) { self.stream_written(); }));
  });
}

void connection::end_stream() {
  post([](connection& self) {
    self.stream_ends_ = true;
    if (!self.writing_)
      self.stream_written();
  });
}

/// No deadline here: a pager that has been left open is no fault, and holds one
/// chunk.
void connection::stream_written() {
  writing_ = false;
  chunk_.clear();
  if (!stream_ends_) {
    caf::anon_send(session_, msg::pulled{});
    return;
  }
  stream_ends_ = false;
  set_deadline(idle_patience);
  net::async_write(socket_, http::make_chunk_last(),
                   then([](connection& self) { self.answered(); }));
}

void connection::upgrade(std::string websocket_key,
                         std::function<void(msg::shared_fd)> take) {
  post([key = std::move(websocket_key),
        take = std::move(take)](connection& self) mutable {
    if (!key.empty()) {
      self.shake_hands(key, std::move(take));
      return;
    }
    self.head_ = {};
    self.head_.version(11);
    self.head_.result(http::status::switching_protocols);
    self.head_.reason("UPGRADED");
    self.head_.set(http::field::connection, "Upgrade");
    self.head_.set(http::field::upgrade, "troupe-stream");
    self.head_.set(http::field::content_type, "application/vnd.troupe.stream");
    self.set_deadline(idle_patience);
    http::async_write(
      self.socket_, self.head_,
      self.then([take](connection& self) { self.hand_over(take); }));
  });
}

void connection::shake_hands(const std::string& websocket_key,
                             std::function<void(msg::shared_fd)> take) {
  http::request<http::empty_body> asked{http::verb::get, "/", 11};
  asked.set(http::field::host, "troupe");
  asked.set(http::field::connection, "Upgrade");
  asked.set(http::field::upgrade, "websocket");
  asked.set(http::field::sec_websocket_version, "13");
  asked.set(http::field::sec_websocket_key, websocket_key);
  set_deadline(idle_patience);
  websocket_.emplace(socket_);
  websocket_->async_accept(
    asked,
    then([take = std::move(take)](connection& self) { self.hand_over(take); }));
}

void connection::hand_over(const std::function<void(msg::shared_fd)>& take) {
  error why;
  const auto fd = socket_.release(why);
  if (!why)
    take(std::make_shared<sys::unique_fd>(fd));
  drop();
}

void connection::close() {
  post([](connection& self) { self.drop(); });
}

void connection::close_gently() {
  error ignored;
  socket_.shutdown(socket::shutdown_send, ignored);
  set_deadline(discard_patience);
  buffer_.clear();
  discard_rest(discarded_at_most);
}

void connection::discard_rest(std::size_t budget) {
  buffer_.clear();
  socket_.async_read_some(
    buffer_.prepare(max_header),
    [self = shared_from_this(), budget](error why, std::size_t size) {
      if (self->over_)
        return;
      if (why || size >= budget)
        self->drop();
      else
        self->discard_rest(budget - size);
    });
}

} // namespace troupe::gateway
