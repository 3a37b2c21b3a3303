#include "actors/cluster/switchboard.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace troupe::cluster {

namespace {

/// After accept(2) has failed for want of descriptors.
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// In one turn.
constexpr auto accepted_at_once = 64;

/// Between two lines about those that were turned away at the door.
constexpr auto log_pause = std::chrono::seconds{1};

/// Those who have proved who they are; a node has one for each other node.
constexpr std::size_t most_passages = 4096;

passage::shared_context shared(tls::context how) {
  return std::make_shared<net::ssl::context>(how.release());
}

/// Whoever has an IPv6 address has 2^64 of them.
std::string source_of(const sockaddr_storage& from) {
  const auto address = [&] {
    if (from.ss_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
      return net::ip::address{net::ip::address_v4{ntohl(v4.sin_addr.s_addr)}};
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    net::ip::address_v6::bytes_type bytes{};
    const auto mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    std::copy_n(v6.sin6_addr.s6_addr, mapped ? 16 : 8, bytes.begin());
    return net::ip::address{net::ip::address_v6{bytes}};
  }();
  return address.to_string();
}

} // namespace

switchboard::switchboard(std::unique_ptr<net::io_context> thread,
                         sys::unique_fd listener, tls::context how,
                         endpoint_user& user)
  : thread_(std::move(thread)),
    keep_running_(thread_->get_executor()),
    acceptor_(*thread_),
    pause_(*thread_),
    how_(shared(std::move(how))),
    user_(user) {
  acceptor_.assign(net::ip::tcp::v4(), listener.release());
}

link_id switchboard::next_link() noexcept {
  return ++last_link_;
}

std::shared_ptr<passage> switchboard::find(link_id which) const {
  const auto found = passages_.find(which);
  return found == passages_.end() ? nullptr : found->second;
}

// -- who comes ----------------------------------------------------------------

/// Waits here and accepts by accept4(2): Asio's own makes descriptors without
/// CLOEXEC.
void switchboard::accept() {
  acceptor_.async_wait(net::socket_base::wait_read,
                       [self = shared_from_this()](const passage::error& why) {
                         if (!why)
                           self->take_all();
                       });
}

void switchboard::take_all() {
  for (auto i = 0; i < accepted_at_once; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    sys::unique_fd socket{::accept4(acceptor_.native_handle(),
                                    reinterpret_cast<sockaddr*>(&from), &size,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (socket) {
      take(std::move(socket), source_of(from));
      continue;
    }
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
      return accept();
    if (!acceptor_.is_open())
      return; // closed meanwhile
    spdlog::warn("cluster: {}", os_failure(errno, "accept4", "").what);
    return rest();
  }
  accept(); // A flood leaves the others their turn.
}

void switchboard::rest() {
  pause_.expires_after(accept_pause);
  pause_.async_wait([self = shared_from_this()](const passage::error& why) {
    if (!why)
      self->accept();
  });
}

void switchboard::take(sys::unique_fd socket, const std::string& address) {
  const auto now = std::chrono::steady_clock::now();
  if (passages_.size() >= most_passages || !admission_.enter(address, now))
    return turn_away(address);
  const auto which = next_link();
  strangers_.emplace(which, address);
  auto fresh = std::make_shared<passage>(*thread_, how_, address,
                                         reports_of(which));
  passages_.emplace(which, fresh);
  fresh->take(std::move(socket));
}

void switchboard::turn_away(const std::string& address) {
  log_refusal(address, "too many at once, or too often");
}

/// A flood must not fill the log, either: the first of some is named, and the
/// others are counted.
void switchboard::log_refusal(const std::string& who, const std::string& why) {
  const auto now = std::chrono::steady_clock::now();
  if (now - logged_ < log_pause) {
    ++unlogged_;
    return;
  }
  logged_ = now;
  spdlog::warn("cluster: {} is refused: {}{}", who, why,
               unlogged_ == 0
                 ? ""
                 : "; " + std::to_string(std::exchange(unlogged_, 0))
                     + " others since the last line");
}

void switchboard::admitted(link_id which) {
  const auto found = strangers_.find(which);
  if (found == strangers_.end())
    return;
  admission_.leave(found->second);
  strangers_.erase(found);
}

// -- what becomes of them -----------------------------------------------------

passage::reports switchboard::reports_of(link_id which) {
  const auto self = shared_from_this();
  return {
    [self, which](const greeting& by) { self->user_.asked(which, by); },
    [self, which] { self->admitted(which); },
    [self, which](const greeting& to, sys::unique_fd stream) {
      const auto of = self->find(which);
      self->user_.linked(which, to, std::move(stream), of && of->is_dialed());
    },
    [self](const tls::identity& who, sys::unique_fd stream) {
      self->user_.client(who, std::move(stream));
    },
    [self, which](const passage& of, failure why) {
      self->ended(which, of, std::move(why));
    },
  };
}

void switchboard::ended(link_id which, const passage& of, failure why) {
  admitted(which);
  if (passages_.erase(which) == 0)
    return; // dropped
  if (of.is_linked()) {
    if (why.code == fault::denied) // a member says what none does
      log_refusal(of.peer(), why.what);
    return user_.unlinked(which, why.what);
  }
  if (of.is_bridged())
    return; // Its stream's end has told the user.
  if (of.is_dialed())
    return user_.not_linked(which, of.peer_name(), std::move(why));
  if (why.code != fault::none)
    log_refusal(of.peer(), why.what);
}

void switchboard::dial(link_id as, host_port address, std::string name,
                       greeting mine) {
  auto fresh = std::make_shared<passage>(
    *thread_, how_, address.host + ":" + address.port, reports_of(as));
  passages_.emplace(as, fresh);
  fresh->reach(address, std::move(name), std::move(mine));
}

void switchboard::answer(link_id which, greeting mine) {
  if (const auto found = find(which))
    found->answer(std::move(mine));
}

void switchboard::drop(link_id which) {
  const auto found = find(which);
  if (!found)
    return;
  passages_.erase(which);
  found->end({fault::none, 0, "dropped"});
}

void switchboard::replace(tls::context how) {
  how_ = shared(std::move(how));
}

void switchboard::close() {
  passage::error ignored;
  acceptor_.close(ignored);
  pause_.cancel(ignored);
  for (const auto& [which, each] : std::exchange(passages_, {}))
    each->end({fault::none, 0, "closed"});
  keep_running_.reset();
}

} // namespace troupe::cluster
