// The door that a cluster shows to the network: two endpoints that talk over
// real sockets, and a client of ours that misbehaves. A link that was there
// before, and one that is made afterwards, must not notice.

#include "actors/cluster/admission.hpp"
#include "actors/cluster/endpoint.hpp"
#include "actors/cluster/frames.hpp"
#include "runtime/tls/authority.hpp"
#include "runtime/tls/openssl.hpp"
#include "tests/support/patience.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <optional>
#include <poll.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace troupe::cluster_endpoint_test {

using namespace cluster;
using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;
using Catch::Contains;
using clock = std::chrono::steady_clock;
using test::patient;

namespace {

/// Until anything that is to happen has happened.
const auto patience = patient(20s);

int milliseconds_to(clock::time_point end) {
  const auto left
    = std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

// -- sockets ------------------------------------------------------------------

sockaddr_in loopback(const char* host, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  REQUIRE(::inet_pton(AF_INET, host, &out.sin_addr) == 1);
  return out;
}

/// A TCP connection, as `source`; reads and writes of it give up. `room`: for
/// what nobody has read, in bytes; 0: plenty.
sys::unique_fd connected(const host_port& to, const char* source = "127.0.0.1",
                         int room = 0) {
  sys::unique_fd out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (room > 0)
    ::setsockopt(out.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  const timeval limit{patience.count() / 1000, 0};
  ::setsockopt(out.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int now = 1; // What is said twice in a row does not wait for an answer.
  ::setsockopt(out.get(), IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
  const auto from = loopback(source, 0);
  const auto at = loopback(to.host.c_str(),
                           static_cast<std::uint16_t>(std::stoi(to.port)));
  REQUIRE(
    ::bind(out.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from)
    == 0);
  REQUIRE(
    ::connect(out.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at)
    == 0);
  return out;
}

/// Listens, for the test to accept or not.
sys::unique_fd listening() {
  sys::unique_fd out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto at = loopback("127.0.0.1", 0);
  REQUIRE(::bind(out.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at)
          == 0);
  REQUIRE(::listen(out.get(), 16) == 0);
  return out;
}

host_port address_of(const sys::unique_fd& listener) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size)
          == 0);
  return {"127.0.0.1", std::to_string(ntohs(at.sin_port))};
}

/// One that nobody has at the moment.
std::string free_port() {
  return address_of(listening()).port;
}

bool put(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// Reads until the other side closes, which it must.
std::string rest_of(int fd) {
  const auto end = clock::now() + patience;
  std::string out;
  for (std::array<char, 4096> buffer{};;) {
    pollfd one{fd, POLLIN, 0};
    REQUIRE(::poll(&one, 1, milliseconds_to(end)) == 1);
    const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0)
      return out;
    out.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

/// Bytes on their way from one socket to another.
struct flow {
  int from;
  int to;
  std::string_view what;
  std::size_t sent = 0;
  std::string arrived = {};

  void step() {
    const auto left = what.substr(sent);
    if (!left.empty())
      sent += static_cast<std::size_t>(std::max<ssize_t>(
        ::send(from, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
        0));
    std::array<char, 65536> buffer{};
    const auto size = ::recv(to, buffer.data(), buffer.size(), MSG_DONTWAIT);
    arrived.append(buffer.data(),
                   static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
};

/// Whether all of it arrives as it was sent.
bool arrives(std::vector<flow> flows) {
  const auto is_done = [](const flow& x) {
    return x.arrived.size() >= x.what.size();
  };
  const auto end = clock::now() + patience;
  while (!std::all_of(flows.begin(), flows.end(), is_done)) {
    std::vector<pollfd> all;
    for (const auto& each : flows) {
      if (each.sent < each.what.size())
        all.push_back({each.from, POLLOUT, 0});
      all.push_back({each.to, POLLIN, 0});
    }
    if (::poll(all.data(), all.size(), milliseconds_to(end)) < 1)
      return false;
    for (const auto& each : all)
      if ((each.revents & (POLLERR | POLLHUP)) != 0)
        return false;
    for (auto& each : flows)
      each.step();
  }
  return std::all_of(flows.begin(), flows.end(),
                     [](const flow& x) { return x.arrived == x.what; });
}

// -- BASP ---------------------------------------------------------------------

std::string basp_header(std::uint32_t payload) {
  std::string out(32, '\x11');
  for (auto i = 0U; i < 4; ++i)
    out[4 + i] = static_cast<char>(payload >> (24 - 8 * i));
  return out;
}

/// At least `size` bytes of frames, of the lengths that there are.
std::string basp_frames(std::size_t size, unsigned seed) {
  std::mt19937 random{seed}; // NOLINT: the same in every run
  std::string out;
  while (out.size() < size) {
    const auto payload = random() % 4 == 0 ? 0 : random() % 100'000;
    auto header = basp_header(static_cast<std::uint32_t>(payload));
    for (const auto at : {0, 1, 2, 3, 8, 15, 31})
      header[static_cast<std::size_t>(at)] = static_cast<char>(random());
    out += header;
    out.resize(out.size() + payload);
    for (auto i = out.size() - payload; i < out.size(); i += 3)
      out[i] = static_cast<char>(random());
  }
  return out;
}

// -- certificates -------------------------------------------------------------

using ssl_ptr = std::unique_ptr<SSL, tls::freed_by<SSL_free>>;

std::string pem_of(X509* certificate) {
  const tls::bio_ptr text{BIO_new(BIO_s_mem())};
  REQUIRE(PEM_write_bio_X509(text.get(), certificate) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

tls::key_ptr key_of(const std::string& pem) {
  tls::key_ptr out{PEM_read_bio_PrivateKey(tls::reader_of(pem).get(), nullptr,
                                           tls::no_password, nullptr)};
  REQUIRE(out);
  return out;
}

/// The same, but its time has been over for a minute.
tls::credentials expired(tls::credentials x,
                         const tls::credentials& authority) {
  const auto out = tls::read_certificate(x.certificate).value();
  REQUIRE(X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600));
  REQUIRE(X509_gmtime_adj(X509_getm_notAfter(out.get()), -60));
  REQUIRE(X509_sign(out.get(), key_of(authority.key).get(), EVP_sha256()) > 0);
  x.certificate = pem_of(out.get());
  return x;
}

void present(SSL_CTX* in, const tls::credentials& own) {
  const auto certificate = tls::read_certificate(own.certificate).value();
  REQUIRE(SSL_CTX_use_certificate(in, certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(in, key_of(own.key).get()) == 1);
}

/// One that trusts `authority` and presents `own`, which make_context would
/// not have.
tls::context odd_context(const tls::credentials& authority,
                         const tls::credentials& own) {
  auto out = tls::make_context(authority.certificate,
                               tls::issue(authority, {"any"}).value())
               .value();
  present(out.get(), own);
  return out;
}

greeting greeting_of(const std::string& name) {
  greeting out;
  out.version = "0.1.0";
  out.name = name;
  out.incarnation = 17;
  out.address = "127.0.0.1:1";
  return out;
}

// -- who listens to an endpoint -----------------------------------------------

/// Keeps what it is told, and answers.
class recorder : public endpoint_user {
public:
  struct link {
    greeting to;
    std::shared_ptr<sys::unique_fd> stream;
    bool dialed;
  };

  struct refusal {
    std::string by;
    failure why;
  };

  struct visitor {
    tls::identity who;
    std::shared_ptr<sys::unique_fd> stream;
  };

  struct report {
    std::vector<std::pair<link_id, greeting>> asked;
    std::map<link_id, link> links;
    std::map<link_id, refusal> not_linked;
    std::map<link_id, std::string> unlinked;
    std::vector<visitor> clients;
    std::size_t calls = 0; ///< Of all kinds.
  };

  void asked(link_id which, const greeting& by) override {
    std::optional<greeting> answer;
    note([&](report& to) {
      to.asked.emplace_back(which, by);
      answer = answer_;
    });
    if (answer)
      of->answer(which, *answer);
  }

  void linked(link_id which, const greeting& to, sys::unique_fd stream,
              bool dialed) override {
    auto fd = std::make_shared<sys::unique_fd>(std::move(stream));
    note([&](report& x) { x.links.emplace(which, link{to, fd, dialed}); });
  }

  void not_linked(link_id which, const std::string& by, failure why) override {
    note([&](report& to) { to.not_linked.emplace(which, refusal{by, why}); });
  }

  void unlinked(link_id which, const std::string& why) override {
    note([&](report& to) { to.unlinked.emplace(which, why); });
  }

  void client(const tls::identity& who, sys::unique_fd stream) override {
    auto fd = std::make_shared<sys::unique_fd>(std::move(stream));
    note([&](report& to) { to.clients.push_back({who, fd}); });
  }

  /// What has been told when `enough` of it has; all, after a deadline.
  template <class Enough>
  report wait(Enough enough) {
    std::unique_lock lock{mutex_};
    CHECK(told_.wait_for(lock, patience, [&] { return enough(report_); }));
    return report_;
  }

  report now() {
    return wait([](const report&) { return true; });
  }

  /// Closes our end.
  void let_go(link_id which) {
    const std::scoped_lock lock{mutex_};
    report_.links.at(which).stream->reset();
  }

  /// What it answers from now on; nothing: it does not.
  void answers(std::optional<greeting> how) {
    const std::scoped_lock lock{mutex_};
    answer_ = std::move(how);
  }

  endpoint* of = nullptr; ///< Set before it begins.

private:
  template <class Does>
  void note(Does does) {
    const std::scoped_lock lock{mutex_};
    does(report_);
    ++report_.calls;
    told_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable told_;
  report report_;
  std::optional<greeting> answer_;
};

/// An endpoint at a port of its own, and its user.
struct node {
  node(std::string called, tls::context how, greeting answer)
    : name(std::move(called)) {
    user.answers(std::move(answer));
    // Somebody else may have been faster to take the port.
    for (auto tries = 0; !door; ++tries) {
      at = {"127.0.0.1", free_port()};
      auto made = endpoint::start(at, std::move(how), user);
      if (made)
        door = *std::move(made);
      else
        REQUIRE((made.error().os_errno == EADDRINUSE && tries < 50));
    }
    user.of = door.get();
    door->begin();
  }

  std::string name;
  host_port at;
  recorder user;
  std::unique_ptr<endpoint> door;
};

/// A link between two of them, as each knows it.
struct link_between {
  node* from;
  node* to;
  link_id at_from = 0;
  link_id at_to = 0;
  int from_end = -1;
  int to_end = -1;

  [[nodiscard]] bool carries(std::string_view there,
                             std::string_view back) const {
    return arrives({{from_end, to_end, there}, {to_end, from_end, back}});
  }
};

/// The last one that was told of; the others are older.
link_id last_asked(node& by) {
  const auto all = by.user.now().asked;
  return all.empty() ? 0 : all.back().first;
}

link_between make_link(node& from, node& to) {
  link_between out{&from, &to};
  const auto before = last_asked(to);
  out.at_from = from.door->dial(to.at, to.name, greeting_of(from.name));
  const auto there = from.user.wait([&](const auto& x) {
    return x.links.contains(out.at_from) || x.not_linked.contains(out.at_from);
  });
  REQUIRE(there.links.contains(out.at_from));
  out.at_to = last_asked(to);
  REQUIRE(out.at_to != before);
  const auto here = to.user.wait(
    [&](const auto& x) { return x.links.contains(out.at_to); });
  out.from_end = there.links.at(out.at_from).stream->get();
  out.to_end = here.links.at(out.at_to).stream->get();
  return out;
}

// -- who misbehaves -----------------------------------------------------------

/// One end of TLS over a blocking socket, between two buffers, so that every
/// byte can be had; checks nobody's certificate unless told to.
class tls_peer {
public:
  struct how {
    tls::credentials own = {};
    std::string protocol = {}; ///< ALPN; empty: none.
    int newest = TLS1_3_VERSION;
    const char* source = "127.0.0.1";
    int room = 0; ///< See `connected`.
  };

  tls_peer(const host_port& to, const how& x)
    : tls_peer(connected(to, x.source, x.room), x) {
    SSL_set_connect_state(ssl_.get());
  }

  [[nodiscard]] int fd() const {
    return fd_.get();
  }

  [[nodiscard]] SSL* ssl() const {
    return ssl_.get();
  }

  /// The first thing that a client says.
  std::string hello() {
    SSL_do_handshake(ssl_.get());
    return unsent();
  }

  /// Whether the handshake succeeds, on this side: with TLS 1.3, a client only
  /// hears later that its certificate is not wanted.
  bool shake() {
    return run([this] { return SSL_do_handshake(ssl_.get()); }) == 1;
  }

  bool write(std::string_view bytes) {
    const auto size = static_cast<int>(bytes.size());
    return run([&] { return SSL_write(ssl_.get(), bytes.data(), size); })
           == size;
  }

  /// So many bytes, or fewer at the end.
  std::string read(std::size_t size) {
    std::string out;
    for (std::array<char, 16384> buffer{}; out.size() < size;) {
      const auto most = std::min(size - out.size(), buffer.size());
      const auto done = run([&] {
        return SSL_read(ssl_.get(), buffer.data(), static_cast<int>(most));
      });
      if (done <= 0)
        return out;
      out.append(buffer.data(), static_cast<std::size_t>(done));
    }
    return out;
  }

  /// The greeting that comes, if one does.
  std::optional<greeting> read_greeting() {
    const auto length = read(length_size);
    if (length.size() < length_size)
      return std::nullopt;
    return decode_greeting(read(decode_length(length).value())).value();
  }

  /// Whether the other side has ended the connection, and not sent anything.
  bool closed() {
    return read(1).empty() && ending_ != SSL_ERROR_WANT_READ;
  }

  /// SSL_get_error of the end.
  [[nodiscard]] int ending() const {
    return ending_;
  }

  /// OpenSSL's words for it.
  [[nodiscard]] const std::string& problem() const {
    return problem_;
  }

  void say_goodbye() {
    SSL_shutdown(ssl_.get());
    static_cast<void>(put(fd_.get(), unsent()));
  }

  void close() {
    fd_.reset();
  }

private:
  tls_peer(sys::unique_fd over, const how& x)
    : fd_(std::move(over)), context_(SSL_CTX_new(TLS_method())) {
    if (!x.own.key.empty())
      present(context_.get(), x.own);
    SSL_CTX_set_max_proto_version(context_.get(), x.newest);
    ssl_.reset(SSL_new(context_.get()));
    if (!x.protocol.empty())
      REQUIRE(tls::offer(ssl_.get(), x.protocol));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
  }

  std::string unsent() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty())
      BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  /// What came; nothing at the end.
  bool fill() {
    std::array<char, 16384> buffer{};
    const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    // -1: TLS asks for more; 0: there is no more.
    BIO_set_mem_eof_return(in_, size < 0 && errno == EAGAIN ? -1 : 0);
    return size > 0
           && BIO_write(in_, buffer.data(), static_cast<int>(size)) == size
           && BIO_set_mem_eof_return(in_, -1) == 1;
  }

  template <class Call>
  int run(Call call) {
    for (auto ended = false;;) {
      ERR_clear_error();
      const auto done = call();
      ending_ = SSL_get_error(ssl_.get(), done);
      problem_ = tls::openssl_text();
      static_cast<void>(put(fd_.get(), unsent()));
      if (ending_ != SSL_ERROR_WANT_READ || ended)
        return done;
      ended = !fill();
    }
  }

  sys::unique_fd fd_;
  tls::context context_;
  ssl_ptr ssl_;
  BIO* in_ = nullptr; // SSL owns both.
  BIO* out_ = nullptr;
  int ending_ = SSL_ERROR_NONE;
  std::string problem_;
};

// -- the world ----------------------------------------------------------------

struct fixture {
  fixture() {
    spdlog::set_level(spdlog::level::off);
  }

  tls::credentials issued(const std::string& name,
                          tls::role as = tls::role::member) const {
    return tls::issue(authority, {name, as}).value();
  }

  tls::context context_of(const std::string& name,
                          tls::role as = tls::role::member) const {
    return tls::make_context(authority.certificate, issued(name, as)).value();
  }

  std::unique_ptr<node> make(const std::string& name) const {
    return std::make_unique<node>(name, context_of(name), greeting_of(name));
  }

  std::unique_ptr<node> make(const std::string& name, tls::context how) const {
    return std::make_unique<node>(name, std::move(how), greeting_of(name));
  }

  /// A client that says it is a node, or something else.
  tls_peer peer(const tls::credentials& own,
                std::string_view protocol = tls::node_protocol) const {
    return {alpha->at, {own, std::string{protocol}}};
  }

  /// Its `dial` of alpha ends so.
  recorder::refusal refusal_of(node& from, const std::string& name = "alpha") {
    const auto which = from.door->dial(alpha->at, name, greeting_of(from.name));
    const auto all = from.user.wait(
      [&](const auto& x) { return x.not_linked.contains(which); });
    CHECK(all.links.empty());
    CHECK(all.calls == 1);
    return all.not_linked.at(which);
  }

  /// Whether links serve, the one that is there and one that is new.
  void check_served() {
    CHECK(standing.carries(basp_frames(100, 1), basp_frames(100, 2)));
    const auto fresh = make_link(*beta, *alpha);
    CHECK(fresh.carries(basp_frames(100, 3), basp_frames(100, 4)));
    CHECK(beta->user.now().unlinked.empty());
  }

  /// And whether alpha's user has been told nothing but `told` things.
  void check_undisturbed(std::size_t told = 0) {
    CHECK(alpha->user.now().calls == calls + told);
    check_served();
    CHECK(alpha->user.now().calls == calls + told + 2);
  }

  tls::credentials authority = tls::make_authority("production").value();
  tls::credentials others = tls::make_authority("production").value();
  std::unique_ptr<node> alpha = make("alpha");
  std::unique_ptr<node> beta = make("beta");
  link_between standing = make_link(*beta, *alpha);
  std::size_t calls = alpha->user.now().calls;
};

} // namespace

// -- links --------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "both ends of a link know each other",
                 "[cluster][endpoint]") {
  const auto here = alpha->user.now();
  const auto there = beta->user.now();
  REQUIRE(here.asked.size() == 1);
  CHECK(here.asked.front() == std::pair{standing.at_to, greeting_of("beta")});
  CHECK(here.links.at(standing.at_to).to == greeting_of("beta"));
  CHECK_FALSE(here.links.at(standing.at_to).dialed);
  CHECK(there.asked.empty());
  CHECK(there.links.at(standing.at_from).to == greeting_of("alpha"));
  CHECK(there.links.at(standing.at_from).dialed);
  CHECK(here.calls == 2);
  CHECK(there.calls == 1);
}

TEST_CASE_METHOD(fixture, "what goes through a link arrives as it was",
                 "[cluster][endpoint]") {
  const auto there = basp_frames(4U << 20U, 5);
  const auto back = basp_frames(4U << 20U, 6);
  CHECK(standing.carries(there, back));
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a link that is dropped is gone at the other side",
                 "[cluster][endpoint]") {
  const auto second = make_link(*alpha, *beta);
  const auto third = make_link(*alpha, *beta);
  alpha->door->drop(second.at_from);
  beta->door->drop(third.at_to);
  const auto here = alpha->user.wait(
    [&](const auto& x) { return x.unlinked.contains(third.at_from); });
  const auto there = beta->user.wait(
    [&](const auto& x) { return x.unlinked.contains(second.at_to); });
  CHECK(here.unlinked.size() == 1);
  CHECK(there.unlinked.size() == 1);
  CHECK_THAT(there.unlinked.at(second.at_to),
             Contains("the other side has closed it"));
  for (const auto fd :
       {second.from_end, second.to_end, third.from_end, third.to_end})
    CHECK(rest_of(fd).empty());
  CHECK(standing.carries(basp_frames(9, 1), basp_frames(9, 2)));
  CHECK(make_link(*beta, *alpha).carries(basp_frames(9, 1), basp_frames(9, 2)));
}

TEST_CASE_METHOD(fixture, "a link ends with the socket at the other side",
                 "[cluster][endpoint]") {
  const auto second = make_link(*beta, *alpha);
  beta->user.let_go(standing.at_from);
  alpha->user.wait(
    [&](const auto& x) { return x.unlinked.contains(standing.at_to); });
  CHECK(rest_of(standing.to_end).empty());
  alpha->user.let_go(second.at_to);
  beta->user.wait(
    [&](const auto& x) { return x.unlinked.contains(second.at_from); });
  CHECK(rest_of(second.from_end).empty());
}

TEST_CASE_METHOD(fixture, "a link that our side has ended is told of as gone",
                 "[cluster][endpoint]") {
  beta->user.let_go(standing.at_from);
  const auto there = beta->user.wait([&](const auto& x) {
    return x.unlinked.contains(standing.at_from)
           || x.not_linked.contains(standing.at_from);
  });
  CHECK(there.unlinked.contains(standing.at_from));
  CHECK(there.not_linked.empty());
  const auto second = make_link(*beta, *alpha);
  alpha->user.let_go(second.at_to);
  beta->user.wait(
    [&](const auto& x) { return x.unlinked.contains(second.at_from); });
  make_link(*beta, *alpha); // Whatever there is to tell has been told.
  CHECK(alpha->user.now().unlinked.contains(second.at_to));
}

TEST_CASE_METHOD(fixture, "an endpoint goes with all that it has",
                 "[cluster][endpoint]") {
  const auto asking = make("gamma");
  alpha->user.answers(std::nullopt); // Nobody is dialing it: nobody reads it.
  asking->door->dial(alpha->at, "alpha", greeting_of("gamma"));
  alpha->user.wait([](const auto& x) { return x.asked.size() == 2; });
  const auto silent = connected(alpha->at);
  alpha->door.reset();
  CHECK(alpha->user.now().calls == calls + 1);
  CHECK(rest_of(silent.get()).empty());
  CHECK(rest_of(standing.to_end).empty());
  asking->user.wait([](const auto& x) { return x.not_linked.size() == 1; });
  beta->user.wait([](const auto& x) { return x.unlinked.size() == 1; });
}

TEST_CASE_METHOD(fixture, "an endpoint that never began says nothing",
                 "[cluster][endpoint]") {
  recorder user;
  auto made = endpoint::start({"127.0.0.1", "0"}, context_of("gamma"), user);
  REQUIRE(made);
  (*made)->dial(alpha->at, "alpha", greeting_of("gamma"));
  made->reset();
  CHECK(user.now().calls == 0);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a port that is taken is refused",
                 "[cluster][endpoint]") {
  recorder user;
  const auto made = endpoint::start(alpha->at, context_of("gamma"), user);
  REQUIRE_FALSE(made);
  CHECK(made.error().os_errno == EADDRINUSE);
}

TEST_CASE_METHOD(fixture, "nobody at an address is told as such",
                 "[cluster][endpoint]") {
  const auto which = beta->door->dial({"127.0.0.1", free_port()}, "gamma",
                                      greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).by.empty());
  CHECK(all.not_linked.at(which).why
        == failure{fault::unavailable, 0, "connect: Connection refused"});
}

// -- refusals between nodes ---------------------------------------------------

TEST_CASE_METHOD(fixture, "a refusal reaches whoever has dialed",
                 "[cluster][endpoint]") {
  auto no = greeting_of("gamma");
  no.refusal = "another node has that name";
  node gamma{"gamma", context_of("gamma"), no};
  const auto which = beta->door->dial(gamma.at, "", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).by == "gamma");
  CHECK(all.not_linked.at(which).why
        == failure{fault::denied, 0,
                   "gamma refuses: 'another node has that name'"});
  CHECK(all.links.size() == 1);
  CHECK(gamma.user.now().links.empty());
  CHECK(gamma.user.now().not_linked.empty());
  CHECK(make_link(gamma, *alpha).carries(basp_frames(9, 1), basp_frames(9, 2)));
}

TEST_CASE_METHOD(fixture, "somebody else is found where a node was expected",
                 "[cluster][endpoint][rule-10]") {
  const auto gamma = make("gamma");
  const auto refusal = refusal_of(*gamma, "delta");
  CHECK(refusal.by == "alpha");
  CHECK(refusal.why
        == failure{fault::denied, 0, "expected delta, found alpha"});
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a node that answers as somebody else has no link",
                 "[cluster][endpoint][rule-10]") {
  node gamma{"gamma", context_of("gamma"), greeting_of("alpha")};
  const auto which = beta->door->dial(gamma.at, "gamma", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).by == "gamma");
  CHECK(all.not_linked.at(which).why.what
        == "it says that it is 'alpha', and its certificate says gamma");
  CHECK(all.links.size() == 1);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a node that answers in another version has no link",
                 "[cluster][endpoint][rule-10]") {
  auto answer = greeting_of("gamma");
  answer.protocol = 3;
  answer.version = "9.9.9";
  node gamma{"gamma", context_of("gamma"), answer};
  const auto which = beta->door->dial(gamma.at, "gamma", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).why
        == failure{fault::unsupported, 0,
                   "protocol 3 (troupe 9.9.9), wanted: 2 (troupe 0.1.0)"});
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a node of another authority is not dialed",
                 "[cluster][endpoint][rule-10]") {
  const auto own = tls::issue(others, {"gamma"}).value();
  node gamma{"gamma", tls::make_context(others.certificate, own).value(),
             greeting_of("gamma")};
  const auto which = beta->door->dial(gamma.at, "gamma", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).by.empty());
  CHECK_THAT(all.not_linked.at(which).why.what,
             Catch::StartsWith("handshake: its certificate: "));
  CHECK(gamma.user.now().calls == 0);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a node whose certificate is over is not dialed",
                 "[cluster][endpoint][rule-10]") {
  node gamma{"gamma",
             odd_context(authority, expired(issued("gamma"), authority)),
             greeting_of("gamma")};
  const auto which = beta->door->dial(gamma.at, "gamma", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK(all.not_linked.at(which).why.what
        == "handshake: its certificate: certificate has expired");
  CHECK(gamma.user.now().calls == 0);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture,
                 "an observer is not dialed, its certificate is no "
                 "server's",
                 "[cluster][endpoint][rule-10]") {
  node gamma{"gamma",
             odd_context(authority, issued("gamma", tls::role::observer)),
             greeting_of("gamma")};
  const auto which = beta->door->dial(gamma.at, "gamma", greeting_of("beta"));
  const auto all = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(which); });
  CHECK_THAT(all.not_linked.at(which).why.what,
             Catch::StartsWith("handshake: its certificate: "));
  CHECK(gamma.user.now().calls == 0);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "nodes with wrong certificates have no link",
                 "[cluster][endpoint][rule-10]") {
  // With TLS 1.3 they hear of it after their handshake: from whom is known.
  const std::vector<tls::credentials> wrong{
    tls::issue(others, {"gamma"}).value(),
    expired(issued("gamma"), authority),
    issued("gamma", tls::role::observer),
  };
  for (const auto& each : wrong) {
    const auto gamma = make("gamma", odd_context(authority, each));
    const auto refusal = refusal_of(*gamma);
    CHECK(refusal.by == "alpha");
    CHECK(refusal.why.code == fault::unavailable);
    CHECK_THAT(refusal.why.what, Catch::StartsWith("greeting: "));
  }
  check_undisturbed();
}

// -- who is no node -----------------------------------------------------------

TEST_CASE_METHOD(fixture, "a client with a wrong certificate is told so",
                 "[cluster][endpoint][rule-10]") {
  for (const auto protocol : {tls::node_protocol, tls::http_protocol}) {
    auto stranger = peer(tls::issue(others, {"gamma"}).value(), protocol);
    CHECK(stranger.shake());
    CHECK(stranger.closed());
    CHECK_THAT(stranger.problem(), Contains("unknown ca"));
    auto late = peer(expired(issued("gamma"), authority), protocol);
    CHECK(late.shake());
    CHECK(late.closed());
    CHECK_THAT(late.problem(), Contains("certificate expired"));
    auto nobody = peer({}, protocol);
    CHECK(nobody.shake());
    CHECK(nobody.closed());
    CHECK_THAT(nobody.problem(), Contains("certificate required"));
    auto authority_itself = peer(authority, protocol);
    CHECK(authority_itself.shake());
    CHECK(authority_itself.closed());
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "an observer does not become a node",
                 "[cluster][endpoint][rule-10]") {
  auto observer = peer(issued("gamma", tls::role::observer));
  CHECK(observer.shake());
  static_cast<void>(observer.write(encode(greeting_of("gamma"))));
  CHECK(observer.closed());
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "older TLS is refused",
                 "[cluster][endpoint][rule-10]") {
  for (const auto protocol : {tls::node_protocol, tls::http_protocol, ""sv}) {
    tls_peer old{alpha->at,
                 {issued("gamma"), std::string{protocol}, TLS1_2_VERSION}};
    CHECK_FALSE(old.shake());
    CHECK_THAT(old.problem(), Contains("alert protocol version"));
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a protocol that nobody speaks is refused",
                 "[cluster][endpoint][rule-10]") {
  for (const auto* protocol : {"h2", "troupe-node2", "x"}) {
    auto odd = peer(issued("gamma"), protocol);
    CHECK_FALSE(odd.shake());
    CHECK_THAT(odd.problem(), Contains("no application protocol"));
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a greeting under another's name is the end",
                 "[cluster][endpoint][rule-10]") {
  for (const auto* name : {"beta", "alpha", "", "Gamma", "gamma "}) {
    auto liar = peer(issued("gamma"));
    CHECK(liar.shake());
    CHECK(liar.write(encode(greeting_of(name))));
    CHECK(liar.closed());
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "another version is refused with both versions",
                 "[cluster][endpoint][rule-10]") {
  auto newer = peer(issued("gamma"));
  auto hello = greeting_of("gamma");
  hello.protocol = 7;
  hello.version = "9.9.9";
  CHECK(newer.shake());
  CHECK(newer.write(encode(hello)));
  const auto answer = newer.read_greeting();
  REQUIRE(answer);
  CHECK(answer->refusal
        == "protocol 7 (troupe 9.9.9), wanted: 2 (troupe 0.1.0)");
  CHECK(answer->protocol == protocol_version);
  CHECK(answer->version == "0.1.0");
  CHECK(newer.closed());
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "what is no greeting is the end",
                 "[cluster][endpoint][rule-10]") {
  const auto refuses = greeting{protocol_version, "0.1.0",           "gamma", 1,
                                "127.0.0.1:1",    "I do not want to"};
  const std::vector<std::string> wrong{
    "\0\0\x40\1"s + std::string(16385, ' '),
    std::string(32, '\xff'),
    "\0\0\0\0"s,
    "\0\0\0\2{}"s,
    "\0\0\0\10not json"s,
    "\0\0\x40\0"s + std::string(longest_greeting, '['),
    encode(refuses),
    basp_frames(100, 7),
  };
  for (const auto& each : wrong) {
    auto client = peer(issued("gamma"));
    CHECK(client.shake());
    static_cast<void>(client.write(each));
    CHECK(client.closed());
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "who leaves in the middle is forgotten",
                 "[cluster][endpoint][rule-10]") {
  const auto hello = encode(greeting_of("gamma"));
  static_cast<void>(connected(alpha->at));
  for (const auto size : {std::size_t{0}, std::size_t{3}, hello.size() - 1}) {
    auto client = peer(issued("gamma"));
    CHECK(client.shake());
    CHECK((size == 0 || client.write(hello.substr(0, size))));
    if (size == 3)
      client.say_goodbye();
    client.close();
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "an answer that comes too late is nobody's",
                 "[cluster][endpoint][rule-10]") {
  alpha->user.answers(std::nullopt);
  auto client = peer(issued("gamma"));
  REQUIRE(client.shake());
  REQUIRE(client.write(encode(greeting_of("gamma"))));
  alpha->user.wait([](const auto& x) { return x.asked.size() == 2; });
  const auto which = last_asked(*alpha);
  client.close();
  auto second = peer(issued("gamma"));
  REQUIRE(second.shake());
  REQUIRE(second.write(encode(greeting_of("gamma"))));
  alpha->user.wait([](const auto& x) { return x.asked.size() == 3; });
  alpha->door->answer(which, greeting_of("alpha"));
  alpha->door->drop(which);
  alpha->door->answer(which, greeting_of("alpha"));
  alpha->door->answer(12345, greeting_of("alpha"));
  alpha->door->answer(last_asked(*alpha), greeting_of("alpha"));
  CHECK(second.read_greeting() == greeting_of("alpha"));
  CHECK(standing.carries(basp_frames(9, 1), basp_frames(9, 2)));
}

TEST_CASE_METHOD(fixture, "what is no TLS is the end",
                 "[cluster][endpoint][rule-10]") {
  std::mt19937 random{8}; // NOLINT: the same in every run
  std::string noise(100'000, '\0');
  std::generate(noise.begin(), noise.end(),
                [&] { return static_cast<char>(random()); });
  const std::vector<std::string> wrong{
    noise,
    "GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n",
    basp_frames(1000, 9),
    std::string(100'000, '\0'),
    "\x16\x03\x01\xff\xff"s + std::string(70'000, '\x01'),
    "\x15\x03\x03\0\2\2\x28"s,
  };
  for (const auto& each : wrong) {
    const auto client = connected(alpha->at);
    static_cast<void>(put(client.get(), each));
    CHECK(rest_of(client.get()).size() < 100); // An alert, perhaps.
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "a handshake that is damaged is the end",
                 "[cluster][endpoint][rule-10]") {
  for (const auto at : {0, 1, 4, 6, 9, 40, 80}) {
    tls_peer client{alpha->at, {issued("gamma"), "troupe-node"}};
    auto hello = client.hello();
    REQUIRE(hello.size() > 80);
    hello[static_cast<std::size_t>(at)] ^= '\x7f';
    CHECK(put(client.fd(), hello));
    ::shutdown(client.fd(), SHUT_WR);
    rest_of(client.fd()); // An answer, perhaps, but it ends.
  }
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "whoever is dialed may misbehave, too",
                 "[cluster][endpoint][rule-10]") {
  const auto listener = listening();
  for (const auto& says :
       {""s, "SSH-2.0-OpenSSH_9.2\r\n"s, std::string(100'000, '\0'),
        "\x15\x03\x03\0\2\2\x28"s}) {
    const auto which = beta->door->dial(address_of(listener), "gamma",
                                        greeting_of("beta"));
    const sys::unique_fd other{
      ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    REQUIRE(other);
    static_cast<void>(put(other.get(), says));
    ::shutdown(other.get(), SHUT_WR);
    const auto all = beta->user.wait(
      [&](const auto& x) { return x.not_linked.contains(which); });
    CHECK(all.not_linked.at(which).by.empty());
    CHECK(all.not_linked.at(which).why.code == fault::unavailable);
    CHECK_THAT(all.not_linked.at(which).why.what,
               Catch::StartsWith("handshake: "));
  }
  CHECK(beta->user.now().unlinked.empty());
  CHECK(make_link(*beta, *alpha).carries(basp_frames(9, 1), basp_frames(9, 2)));
}

TEST_CASE_METHOD(fixture, "a frame that is too long closes the link",
                 "[cluster][endpoint][rule-10]") {
  const auto from = make_link(*beta, *alpha);
  REQUIRE(from.carries(basp_frames(1000, 1), ""));
  REQUIRE(put(from.from_end, basp_header(frames::longest + 1)));
  const auto here = alpha->user.wait(
    [&](const auto& x) { return x.unlinked.contains(from.at_to); });
  CHECK(here.unlinked.at(from.at_to) == "a frame of more than 67108864 bytes");
  CHECK(rest_of(from.to_end).empty());
  const auto there = beta->user.wait(
    [&](const auto& x) { return x.unlinked.contains(from.at_from); });
  CHECK(there.unlinked.size() == 1);
  CHECK(rest_of(from.from_end).empty());
  CHECK(standing.carries(basp_frames(9, 1), basp_frames(9, 2)));
  CHECK(make_link(*beta, *alpha).carries(basp_frames(9, 1), basp_frames(9, 2)));
}

TEST_CASE_METHOD(fixture, "a frame's header that comes in pieces is found",
                 "[cluster][endpoint][rule-10]") {
  auto client = peer(issued("gamma"));
  REQUIRE(client.shake());
  REQUIRE(client.write(encode(greeting_of("gamma"))));
  REQUIRE(client.read_greeting() == greeting_of("alpha"));
  const auto which = last_asked(*alpha);
  const auto end
    = alpha->user.wait([&](const auto& x) { return x.links.contains(which); })
        .links.at(which)
        .stream;
  const auto good = basp_header(3) + "abc";
  const auto bad = basp_header(0xffff'ffff);
  for (const auto byte : good + bad)
    static_cast<void>(client.write({&byte, 1}));
  CHECK(client.closed());
  // CAF believes no header before all of it is there.
  CHECK(rest_of(end->get()) == good + bad.substr(0, 31));
}

// -- who has too much of it ---------------------------------------------------

namespace {

/// How many are left of `all` when no more than `most` are open, or after a
/// deadline.
std::size_t open_of(std::vector<pollfd> all, std::size_t most) {
  const auto end = clock::now() + patience;
  while (all.size() > most
         && ::poll(all.data(), all.size(), milliseconds_to(end)) > 0)
    std::erase_if(all, [](const pollfd& x) { return x.revents != 0; });
  static_cast<void>(::poll(all.data(), all.size(), 0));
  std::erase_if(all, [](const pollfd& x) { return x.revents != 0; });
  return all.size();
}

const auto pending_of_one = admission::limits{}.pending_of_one;

} // namespace

TEST_CASE_METHOD(fixture, "a flood of connections disturbs nobody else",
                 "[cluster][endpoint][rule-10]") {
  std::vector<sys::unique_fd> flood;
  std::vector<pollfd> all;
  for (auto i = 0; i < 300; ++i) {
    flood.push_back(connected(alpha->at, "127.0.0.2"));
    all.push_back({flood.back().get(), POLLIN, 0});
  }
  check_undisturbed();
  CHECK(open_of(all, pending_of_one) <= pending_of_one);
  // When they have gone, their address is as good as any.
  for (const auto& each : flood)
    ::shutdown(each.get(), SHUT_WR);
  CHECK(open_of(all, 0) == 0);
  tls_peer client{alpha->at,
                  {issued("gamma"), "http/1.1", TLS1_3_VERSION, "127.0.0.2"}};
  CHECK(client.shake());
  const auto seen = alpha->user.wait(
    [](const auto& x) { return x.clients.size() == 1; });
  CHECK(seen.clients.front().who.name == "gamma");
}

TEST_CASE_METHOD(fixture, "one address begins so many handshakes a second",
                 "[cluster][endpoint][rule-10]") {
  const admission::limits most;
  const auto hello = tls_peer{alpha->at, {}}.hello();
  const auto begun = clock::now();
  auto served = 0;
  for (auto i = 0; i < 200; ++i) {
    const auto client = connected(alpha->at, "127.0.0.2");
    static_cast<void>(put(client.get(), hello));
    ::shutdown(client.get(), SHUT_WR);
    served += rest_of(client.get()).empty() ? 0 : 1;
  }
  const std::chrono::duration<double> took = clock::now() - begun;
  CHECK(served >= most.burst);
  CHECK(served <= most.burst + most.per_second * took.count() + 1);
  check_undisturbed();
}

TEST_CASE_METHOD(fixture, "who says nothing is sent away in time",
                 "[cluster][endpoint][rule-10][slow]") {
  const auto begun = clock::now();
  const auto processor = [] {
    timespec out{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &out);
    return std::chrono::seconds{out.tv_sec}
           + std::chrono::nanoseconds{out.tv_nsec};
  };
  const auto silent = connected(alpha->at);
  tls_peer slow{alpha->at, {issued("gamma"), "troupe-node"}};
  const auto hello = slow.hello();
  REQUIRE(put(slow.fd(), hello.substr(0, hello.size() / 2)));
  auto wordless = peer(issued("gamma"));
  REQUIRE(wordless.shake());
  alpha->user.answers(std::nullopt);
  auto unanswered = peer(issued("gamma"));
  REQUIRE(unanswered.shake());
  REQUIRE(unanswered.write(encode(greeting_of("gamma"))));
  const auto listener = listening(); // It accepts nobody.
  const auto dialed = beta->door->dial(address_of(listener), "gamma",
                                       greeting_of("beta"));
  const auto before = processor();
  CHECK(rest_of(silent.get()).empty());
  CHECK(rest_of(slow.fd()).empty());
  CHECK(wordless.closed());
  CHECK(unanswered.closed());
  const auto there = beta->user.wait(
    [&](const auto& x) { return x.not_linked.contains(dialed); });
  CHECK(there.not_linked.at(dialed).why
        == failure{fault::timed_out, 0, "handshake: it took too long"});
  const auto took = clock::now() - begun;
  CHECK(took > 4s);
  CHECK(took < patient(15s));
  CHECK(processor() - before < patient(1s)); // Nobody has spun.
  alpha->user.answers(greeting_of("alpha"));
  check_undisturbed(1); // It was asked.
}

// -- HTTP ---------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "members and observers may speak HTTP",
                 "[cluster][endpoint]") {
  for (const auto as : {tls::role::member, tls::role::observer})
    for (const auto protocol : {tls::http_protocol, ""sv}) {
      const auto before = alpha->user.now().clients.size();
      const auto own = issued("gamma", as);
      auto client = peer(own, protocol);
      REQUIRE(client.shake());
      const auto told = alpha->user.wait(
        [&](const auto& x) { return x.clients.size() > before; });
      const auto& seen = told.clients.back();
      CHECK(seen.who == tls::identity_of_pem(own.certificate).value());
      CHECK(tls::chosen_protocol(client.ssl()) == protocol);
      // Frames are BASP's: here, any bytes may go.
      const std::string request(70'000, '\xff');
      CHECK(client.write(request));
      CHECK(arrives({{-1, seen.stream->get(), request, request.size()}}));
      REQUIRE(put(seen.stream->get(), "an answer"));
      CHECK(client.read(9) == "an answer");
      seen.stream->reset();
      CHECK(client.closed());
      CHECK(client.ending() == SSL_ERROR_ZERO_RETURN);
    }
  check_undisturbed(4);
}

TEST_CASE_METHOD(fixture, "an answer arrives whole, and then its end",
                 "[cluster][endpoint]") {
  auto client = peer(issued("gamma"), tls::http_protocol);
  REQUIRE(client.shake());
  const auto told = alpha->user.wait(
    [&](const auto& x) { return !x.clients.empty(); });
  const std::string answer(100'000, 'a');
  REQUIRE(put(told.clients.front().stream->get(), answer));
  told.clients.front().stream->reset();
  CHECK(client.read(2 * answer.size()) == answer);
  CHECK(client.ending() == SSL_ERROR_ZERO_RETURN);
}

TEST_CASE_METHOD(fixture, "an answer arrives although its client still sends",
                 "[cluster][endpoint]") {
  tls_peer client{
    alpha->at,
    {issued("gamma"), "http/1.1", TLS1_3_VERSION, "127.0.0.1", 8192}};
  REQUIRE(client.shake());
  const auto told = alpha->user.wait(
    [&](const auto& x) { return !x.clients.empty(); });
  auto& stream = *told.clients.front().stream;
  const auto answer = "413" + std::string(100'000, 'a');
  const auto ends = GENERATE("by discarding the rest"s, "by closing"s);
  INFO("the server ends " << ends);
  REQUIRE(put(stream.get(), answer));
  if (ends == "by closing")
    stream.reset();
  else
    ::shutdown(stream.get(), SHUT_WR);
  std::array<char, 65536> discarded{};
  for (auto i = 0; i < 64; ++i) {
    static_cast<void>(client.write(std::string(16384, 'b')));
    if (stream)
      static_cast<void>(
        ::recv(stream.get(), discarded.data(), discarded.size(), MSG_DONTWAIT));
  }
  CHECK(client.read(2 * answer.size()).size() == answer.size());
  CHECK(client.ending() == SSL_ERROR_ZERO_RETURN);
}

TEST_CASE_METHOD(fixture, "a client that goes is no link that is gone",
                 "[cluster][endpoint]") {
  auto client = peer(issued("gamma"), tls::http_protocol);
  REQUIRE(client.shake());
  const auto told = alpha->user.wait(
    [&](const auto& x) { return !x.clients.empty(); });
  client.close();
  CHECK(rest_of(told.clients.front().stream->get()).empty());
  check_undisturbed(1);
}

// -- certificates that are replaced -------------------------------------------

TEST_CASE_METHOD(fixture, "new certificates are for new connections",
                 "[cluster][endpoint]") {
  const auto shown = [&](const tls::credentials& own) -> std::string {
    auto client = peer(own, tls::http_protocol);
    if (!client.shake())
      return {};
    const tls::certificate_ptr found{SSL_get1_peer_certificate(client.ssl())};
    return client.write("x") ? pem_of(found.get()) : "";
  };
  const auto renewed = issued("alpha");
  CHECK(shown(issued("gamma")) != renewed.certificate);
  alpha->door->replace(
    tls::make_context(authority.certificate, renewed).value());
  CHECK(shown(issued("gamma")) == renewed.certificate);
  alpha->user.wait([](const auto& x) { return x.clients.size() == 2; });
  check_served();
}

TEST_CASE_METHOD(fixture, "another authority is for new connections",
                 "[cluster][endpoint][rule-10]") {
  const auto moved = [this](const std::string& name) {
    return tls::make_context(others.certificate,
                             tls::issue(others, {name}).value())
      .value();
  };
  alpha->door->replace(moved("alpha"));
  const auto gamma = make("gamma");
  CHECK_THAT(refusal_of(*gamma).why.what,
             Catch::StartsWith("handshake: its certificate: "));
  auto stranger = peer(issued("delta"));
  CHECK(stranger.shake());
  CHECK(stranger.closed());
  CHECK_THAT(stranger.problem(), Contains("unknown ca"));
  beta->door->replace(moved("beta"));
  check_undisturbed();
}

} // namespace troupe::cluster_endpoint_test
