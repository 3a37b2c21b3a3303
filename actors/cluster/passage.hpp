#pragma once

#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/frames.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::cluster {

namespace net = boost::asio;

/// From the first packet to the greeting's answer.
inline constexpr auto handshake_patience = std::chrono::seconds{5};

/// One TLS connection, from its first packet to its last: first it is proved
/// who is there, then nodes greet each other, then bytes go to and fro between
/// it and a socket pair. Lives in the endpoint's thread.
class passage : public std::enable_shared_from_this<passage> {
public:
  using error = boost::system::error_code;
  using tcp = net::ip::tcp;
  using local = net::local::stream_protocol;
  using tls_stream = net::ssl::stream<tcp::socket>;
  using shared_context = std::shared_ptr<net::ssl::context>;

  /// What becomes of it; all of it is called at most once, `ended` last.
  struct reports {
    std::function<void(const greeting&)> asked;
    /// Proved and greeted: it is no stranger any more.
    std::function<void()> admitted;
    std::function<void(const greeting& peer, sys::unique_fd)> linked;
    std::function<void(const tls::identity&, sys::unique_fd)> client;
    std::function<void(const passage&, failure)> ended;
  };

  passage(net::io_context& thread, shared_context how, std::string peer,
          reports tell);

  /// Serves who has connected.
  void take(sys::unique_fd socket);

  /// Connects. `name`: whom it must be; empty: any member.
  void reach(const host_port& address, std::string name, greeting mine);

  /// Answers whoever has asked; with a refusal, that is the end of it.
  void answer(greeting mine);

  void end(failure why);

  [[nodiscard]] bool is_dialed() const noexcept {
    return dialed_;
  }
  /// Bytes go to and fro, or did.
  [[nodiscard]] bool is_bridged() const noexcept {
    return bridged_;
  }
  /// And it is a node that they go to.
  [[nodiscard]] bool is_linked() const noexcept {
    return bridged_ && greeted_;
  }
  /// An address, and a name as soon as it is known.
  [[nodiscard]] std::string peer() const;
  [[nodiscard]] const std::string& peer_name() const noexcept {
    return who_.name;
  }

private:
  template <class Next>
  auto then(std::string_view doing, Next next);
  void set_deadline();

  void connect(tcp::resolver::results_type to);
  void connect_next();
  void shake_hands(net::ssl::stream_base::handshake_type as);
  outcome identify();
  void proved();
  void greet();
  void read_greeting();
  void read_greeting_text(std::size_t size);
  void greeted(greeting theirs);
  void send(greeting what, std::function<void()> done);
  void open_bridge();
  void pump_in();
  void pump_out();
  void say_goodbye();
  void discard_rest();
  failure failed(std::string_view doing, const error& why);

  net::io_context& thread_;
  shared_context how_;
  tls_stream stream_;
  net::steady_timer deadline_;
  std::string address_;
  reports tell_;
  bool dialed_ = false;
  bool greeted_ = false;
  bool answered_ = false;
  bool bridged_ = false;
  bool leaving_ = false; ///< Our side has ended; what comes is discarded.
  bool over_ = false;
  std::string expected_;
  tls::identity who_;
  greeting mine_;
  greeting theirs_;

  std::optional<tcp::resolver> resolver_;
  tcp::resolver::results_type found_;
  tcp::resolver::results_type::const_iterator next_;
  error last_error_;

  std::string text_; ///< A greeting on its way.
  std::array<char, length_size> length_{};

  std::optional<local::socket> inner_; ///< Our end of the socket pair.
  frames frames_;
  std::array<char, 32U << 10U> in_;
  std::array<char, 32U << 10U> out_;
};

} // namespace troupe::cluster
