#include "actors/cluster/passage.hpp"

#include "config/base/quote.hpp"
#include "runtime/linux/stream_socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <openssl/ssl.h>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace troupe::cluster {

namespace {

/// Quotes in a quote are hard to read: not where it looks like a version.
std::string shown(const std::string& version) {
  constexpr std::string_view plain = "0123456789.+-~abcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t longest = 40;
  const auto odd = version.size() > longest
                   || version.find_first_not_of(plain) != version.npos;
  return odd ? quote(version) : version;
}

} // namespace

passage::passage(net::io_context& thread, shared_context how, std::string peer,
                 reports tell)
  : thread_(thread),
    how_(std::move(how)),
    stream_(thread, *how_),
    deadline_(thread),
    address_(std::move(peer)),
    tell_(std::move(tell)) {
}

/// A step's end: `next`, or the end of all.
template <class Next>
auto passage::then(std::string_view doing, Next next) {
  return [self = shared_from_this(), doing,
          next = std::move(next)](const error& why, std::size_t size = 0) {
    if (self->over_)
      return;
    if (why)
      self->end(self->failed(doing, why));
    else
      next(*self, size);
  };
}

std::string passage::peer() const {
  return who_.name.empty() ? address_ : who_.name + " (" + address_ + ")";
}

/// OpenSSL knows more than "certificate verify failed".
failure passage::failed(std::string_view doing, const error& why) {
  const auto closed = why == net::error::eof
                      || why == net::ssl::error::stream_truncated;
  auto what = closed ? "the other side has closed it" : why.message();
  if (const auto seen = SSL_get_verify_result(stream_.native_handle());
      seen != X509_V_OK)
    what = std::string{"its certificate: "}
           + X509_verify_cert_error_string(seen);
  return {fault::unavailable, 0, std::string{doing} + ": " + what};
}

void passage::set_deadline() {
  deadline_.expires_after(handshake_patience);
  deadline_.async_wait([self = shared_from_this()](const error& why) {
    if (why || self->over_)
      return;
    if (self->leaving_)
      self->end({fault::none, 0, "closed"});
    else if (!self->bridged_)
      self->end({fault::timed_out, 0, "handshake: it took too long"});
  });
}

// -- to the greeting ----------------------------------------------------------

void passage::take(sys::unique_fd socket) {
  set_deadline();
  error why;
  auto& tcp_socket = stream_.next_layer();
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&at), &size);
  tcp_socket.assign(at.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(),
                    socket.get(), why);
  if (why)
    return end(failed("accept", why));
  static_cast<void>(socket.release());
  tcp_socket.set_option(tcp::no_delay{true}, why);
  shake_hands(net::ssl::stream_base::server);
}

void passage::reach(const host_port& address, std::string name, greeting mine) {
  dialed_ = true;
  expected_ = std::move(name);
  mine_ = std::move(mine);
  set_deadline();
  if (auto offered = tls::offer(stream_.native_handle(), tls::node_protocol);
      !offered)
    return end(offered.error());
  error not_numeric;
  const auto numeric = net::ip::make_address(address.host, not_numeric);
  if (!not_numeric) // No thread, no waiting.
    return connect(tcp::resolver::results_type::create(
      tcp::endpoint{numeric,
                    static_cast<std::uint16_t>(std::stoi(address.port))},
      address.host, address.port));
  resolver_.emplace(thread_);
  resolver_->async_resolve(
    address.host, address.port,
    [self = shared_from_this()](const error& why,
                                tcp::resolver::results_type found) {
      if (self->over_)
        return;
      if (why)
        self->end(self->failed("look up", why));
      else
        self->connect(std::move(found));
    });
}

void passage::connect(tcp::resolver::results_type to) {
  found_ = std::move(to);
  next_ = found_.begin();
  connect_next();
}

void passage::connect_next() {
  if (next_ == found_.end())
    return end(failed("connect", last_error_));
  const auto to = (next_++)->endpoint();
  auto& socket = stream_.next_layer();
  socket.close(last_error_);
  sys::unique_fd fd{::socket(to.protocol().family(),
                             SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) {
    last_error_.assign(errno, boost::system::system_category());
    return connect_next();
  }
  socket.assign(to.protocol(), fd.get(), last_error_);
  if (last_error_)
    return connect_next();
  static_cast<void>(fd.release());
  socket.set_option(tcp::no_delay{true}, last_error_);
  socket.async_connect(to, [self = shared_from_this()](const error& why) {
    if (self->over_)
      return;
    self->last_error_ = why;
    if (why)
      self->connect_next();
    else
      self->shake_hands(net::ssl::stream_base::client);
  });
}

void passage::shake_hands(net::ssl::stream_base::handshake_type as) {
  stream_.async_handshake(
    as, then("handshake", [](passage& self, std::size_t) { self.proved(); }));
}

/// Who it is, and whether that fits what it wants.
outcome passage::identify() {
  auto* tls = stream_.native_handle();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate{
    SSL_get1_peer_certificate(tls), X509_free};
  if (!certificate) // Neither side lets that happen.
    return fail(fault::denied, "it has no certificate");
  TROUPE_TRY(who_, tls::identity_of(certificate.get()));
  const auto is_node = tls::chosen_protocol(tls) == tls::node_protocol;
  if (dialed_ && !is_node)
    return fail(fault::denied, "it is no node");
  if (is_node && who_.as != tls::role::member)
    return fail(fault::denied, "an observer is no member, and has no link");
  if (!expected_.empty() && who_.name != expected_)
    return fail(fault::denied,
                "expected " + expected_ + ", found " + who_.name);
  return {};
}

void passage::proved() {
  if (auto identified = identify(); !identified)
    return end(identified.error());
  if (dialed_)
    return greet();
  if (tls::chosen_protocol(stream_.native_handle()) == tls::node_protocol)
    return read_greeting();
  tell_.admitted();
  open_bridge();
}

// -- greetings ----------------------------------------------------------------

void passage::greet() {
  send(mine_, [this] { read_greeting(); });
}

void passage::send(greeting what, std::function<void()> done) {
  text_ = encode(std::move(what));
  net::async_write(stream_, net::buffer(text_),
                   then("greeting", [done = std::move(done)](
                                      passage&, std::size_t) { done(); }));
}

void passage::read_greeting() {
  net::async_read(stream_, net::buffer(length_),
                  then("greeting", [](passage& self, std::size_t) {
                    const auto size = decode_length(
                      {self.length_.data(), self.length_.size()});
                    if (size)
                      self.read_greeting_text(*size);
                    else
                      self.end(size.error());
                  }));
}

void passage::read_greeting_text(std::size_t size) {
  text_.resize(size);
  net::async_read(stream_, net::buffer(text_),
                  then("greeting", [](passage& self, std::size_t) {
                    auto theirs = decode_greeting(self.text_);
                    if (theirs)
                      self.greeted(*std::move(theirs));
                    else
                      self.end(theirs.error());
                  }));
}

void passage::greeted(greeting theirs) {
  theirs_ = std::move(theirs);
  greeted_ = true;
  if (!theirs_.refusal.empty())
    return end(
      {fault::denied, 0, who_.name + " refuses: " + quote(theirs_.refusal)});
  if (theirs_.name != who_.name)
    return end({fault::denied, 0,
                "it says that it is " + quote(theirs_.name)
                  + ", and its certificate says " + who_.name});
  if (theirs_.protocol != protocol_version) {
    const auto what = "protocol " + std::to_string(theirs_.protocol)
                      + " (troupe " + shown(theirs_.version)
                      + "), wanted: " + std::to_string(protocol_version)
                      + " (troupe " TROUPE_VERSION ")";
    if (dialed_)
      return end({fault::unsupported, 0, what});
    mine_.refusal = what;
    mine_.version = TROUPE_VERSION;
    return answer(mine_);
  }
  if (dialed_)
    return open_bridge();
  tell_.asked(theirs_);
}

void passage::answer(greeting mine) {
  if (over_ || !greeted_ || dialed_ || std::exchange(answered_, true))
    return;
  const auto refusal = mine.refusal;
  send(std::move(mine), [this, refusal] {
    if (!refusal.empty())
      return end({fault::denied, 0, refusal});
    tell_.admitted();
    open_bridge();
  });
}

// -- the bridge ---------------------------------------------------------------

void passage::open_bridge() {
  auto pair = sys::stream_pair();
  if (!pair)
    return end(pair.error());
  error why;
  inner_.emplace(thread_);
  inner_->assign(local{}, pair->first.get(), why);
  if (why)
    return end(failed("bridge", why));
  static_cast<void>(pair->first.release());
  bridged_ = true;
  deadline_.cancel(why);
  if (greeted_)
    tell_.linked(theirs_, std::move(pair->second));
  else
    tell_.client(who_, std::move(pair->second));
  // EPOLLHUP: our side has closed both directions. pump_out may not see that,
  // while somebody takes nothing of what it writes.
  inner_->async_wait(local::socket::wait_error,
                     [self = shared_from_this()](const error& why) {
                       if (why || self->over_ || self->leaving_)
                         return;
                       self->leaving_ = true;
                       self->set_deadline();
                     });
  pump_in();
  pump_out();
}

/// From the network. One buffer: who reads slowly is sent no more.
void passage::pump_in() {
  if (leaving_)
    return;
  stream_.async_read_some(
    net::buffer(in_), then("read", [](passage& self, std::size_t size) {
      if (self.greeted_ && !self.frames_.take({self.in_.data(), size}))
        return self.end({fault::denied, 0,
                         "a frame of more than "
                           + std::to_string(frames::longest) + " bytes"});
      net::async_write(
        *self.inner_, net::buffer(self.in_, size),
        [self = self.shared_from_this()](const error& why, std::size_t) {
          // pump_out finds the end, too, behind what is left.
          if (!self->over_ && !why)
            self->pump_in();
        });
    }));
}

/// To the network, until our side has closed its end.
void passage::pump_out() {
  inner_->async_read_some(
    net::buffer(out_),
    [self = shared_from_this()](const error& why, std::size_t size) {
      if (self->over_)
        return;
      if (why)
        return self->say_goodbye();
      net::async_write(self->stream_, net::buffer(self->out_, size),
                       self->then("write", [](passage& self, std::size_t) {
                         self.pump_out();
                       }));
    });
}

/// Without it, nobody knows whether what came was all.
void passage::say_goodbye() {
  leaving_ = true;
  set_deadline();
  stream_.async_shutdown([self = shared_from_this()](const error& why) {
    if (self->over_)
      return;
    if (!why || why == net::error::eof)
      return self->end({fault::none, 0, "closed"});
    error ignored;
    self->stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    self->discard_rest();
  });
}

/// Whoever closes a socket before everything is read resets the connection,
/// and what the other side has not read yet is lost.
void passage::discard_rest() {
  stream_.next_layer().async_read_some(
    net::buffer(in_),
    [self = shared_from_this()](const error& why, std::size_t) {
      if (self->over_)
        return;
      if (why)
        self->end({fault::none, 0, "closed"});
      else
        self->discard_rest();
    });
}

void passage::end(failure why) {
  if (std::exchange(over_, true))
    return;
  // Whoever reports may drop the last handle to this.
  const auto self = shared_from_this();
  error ignored;
  deadline_.cancel(ignored);
  if (resolver_)
    resolver_->cancel();
  stream_.next_layer().close(ignored);
  if (inner_)
    inner_->close(ignored);
  const auto tell = std::exchange(tell_, {});
  tell.ended(*this, std::move(why));
}

} // namespace troupe::cluster
