// Attached clients: many, slow ones, late ones, and those of other tools.

#include "runtime/linux/seqpacket.hpp"
#include "tests/support/attached.hpp"
#include "tests/support/shim_box.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <random>

namespace troupe::shim_attach_test {

using namespace troupe::test;
using shim::framing;
using shim::overflow;
using shim::process_state;

namespace {

/// Waits with its output until something comes on its stdin.
plan::launch_plan waiting_plan(const shim_box& box, const std::string& then) {
  return shell_plan(box.fs, "read go; " + then);
}

std::string counted_to(int last) {
  std::string out;
  for (auto i = 1; i <= last; ++i)
    out += std::to_string(i) + '\n';
  return out;
}

/// One packet of a conmon socket; empty at its end.
std::string packet_of(int socket) {
  std::string out(16U << 10U, '\0');
  REQUIRE(readable(socket));
  const auto n = ::recv(socket, out.data(), out.size(), 0);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out;
}

} // namespace

TEST_CASE("a stopped client of the policy drop holds up nobody",
          "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  constexpr auto last = 1'000'000; // 6.9 MB
  box.begin(request, waiting_plan(box, "seq 1 1000000; echo end >&2"));
  auto how = attached::request_of("web-1", false);
  how.when_full = overflow::drop;
  attached stopped{box.supervisor, how};
  attached reader{box.supervisor, "web-1", true};
  REQUIRE(stopped.reply.fault == 0);

  reader.send("go\n");
  reader.receive_all();
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(reader.out == counted_to(last));
  CHECK(reader.err == "end\n");
  CHECK(reader.gaps.empty());
  CHECK(exited.attached.bytes_dropped > 4'000'000);

  stopped.receive_all();
  std::int64_t missing = 0;
  std::istringstream gaps{stopped.gaps};
  for (nlohmann::json each; gaps.peek() == '{' && gaps >> each;)
    missing += each["bytes"].get<std::int64_t>();
  CHECK(missing == exited.attached.bytes_dropped);
  CHECK(stopped.out.size() + stopped.err.size()
          + static_cast<std::size_t>(missing)
        == reader.out.size() + reader.err.size());
  CHECK(reader.out.starts_with(stopped.out.substr(0, 1U << 19U)));
  CHECK(stopped.status == R"({"exit_code":0,"signal":0})");
}

TEST_CASE("a hundred clients get every byte, in order", "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  box.begin(request, waiting_plan(box, "seq 1 20000"));
  std::vector<std::unique_ptr<attached>> clients;
  for (auto i = 0; i < 100; ++i)
    clients.push_back(
      std::make_unique<attached>(box.supervisor, "web-1", i == 0));
  clients.front()->send("go\n");
  const auto expected = counted_to(20'000);
  for (const auto& each : clients) {
    each->receive_all();
    CHECK(each->out == expected);
  }
}

TEST_CASE("whoever comes late gets what was said last", "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  request.replay = 64U << 10U;
  box.begin(request, shell_plan(box.fs, "echo one; echo two; echo three; "
                                        "read go; echo four"));
  attached first{box.supervisor, "web-1", true};
  auto late = attached::request_of("web-1", false);
  late.replay = 6;
  // All three lines are there once the first client has seen the last.
  auto whole = late;
  whole.replay = 1000;
  std::unique_ptr<attached> second;
  REQUIRE(eventually([&] {
    second = std::make_unique<attached>(box.supervisor, whole);
    char peeked[256];
    const auto n = ::recv(second->socket(), peeked, sizeof peeked,
                          MSG_PEEK | MSG_DONTWAIT);
    return n > 0
           && std::string_view{peeked, static_cast<std::size_t>(n)}.ends_with(
             "three\n");
  }));
  attached third{box.supervisor, late};
  first.send("go\n");
  second->receive_all();
  third.receive_all();
  CHECK(second->out == "one\ntwo\nthree\nfour\n");
  CHECK(third.out == "three\nfour\n");

  box.supervisor.wait_for("web-1", process_state::exited);
  attached after{box.supervisor, whole};
  after.receive_all();
  CHECK(after.out == "one\ntwo\nthree\nfour\n");
  CHECK(after.status == R"({"exit_code":0,"signal":0})");
}

TEST_CASE("a WebSocket is served by the shim", "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  box.begin(request, shell_plan(box.fs, "cat; echo bye >&2; exit 3"));
  auto how = attached::request_of("web-1", true);
  how.framing = framing::websocket;
  attached client{box.supervisor, how};
  REQUIRE(client.reply.fault == 0);
  // "\0hi\n" and the end of stdin, both masked with zeros.
  using namespace std::string_literals;
  client.send_raw("\x82\x84\0\0\0\0\0hi\n\x82\x82\0\0\0\0\xff\0"s);
  std::string got;
  for (auto more = true; more && readable(client.socket());) {
    char bytes[512];
    const auto n = ::read(client.socket(), bytes, sizeof bytes);
    more = n > 0;
    got.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  CHECK(got
        == "\x82\x04\1hi\n"s + "\x82\x05\2bye\n"s + "\x82\x1b\3"s
             + R"({"exit_code":3,"signal":0})" + "\x88\x02\x03\xe8");
}

TEST_CASE("other tools find conmon's socket and files", "[shim][attach]") {
  shim_box box;
  auto request = launch_of("web-1");
  request.open_stdin = true;
  // Longer than a socket's address.
  const auto directory = box.process.log_path(std::string(120, 'd'));
  std::filesystem::create_directory(directory);
  request.files = directory + "/web-";
  box.begin(request, shell_plan(box.fs, "read line; echo out $line; "
                                        "echo err >&2; seq 1 3000; exit 7"));
  CHECK(file_content(directory + "/web-pid")
        == std::to_string(box.supervisor.records["web-1"].pid));
  CHECK_FALSE(std::filesystem::exists(directory + "/web-exit"));

  const auto old = std::filesystem::current_path();
  std::filesystem::current_path(directory);
  const auto socket = sys::seqpacket_connect("web-attach").value();
  std::filesystem::current_path(old);
  REQUIRE(::send(socket.get(), "hello\n", 6, MSG_NOSIGNAL) == 6);
  std::string out;
  std::string err;
  for (auto packet = packet_of(socket.get()); !packet.empty();
       packet = packet_of(socket.get())) {
    REQUIRE(packet.size() <= 8193);
    REQUIRE((packet[0] == 2 || packet[0] == 3));
    (packet[0] == 2 ? out : err) += packet.substr(1);
  }
  CHECK(out == "out hello\n" + counted_to(3000));
  CHECK(err == "err\n");
  box.supervisor.wait_for("web-1", process_state::exited);
  CHECK(file_content(directory + "/web-exit") == "7");
  CHECK_FALSE(std::filesystem::exists(directory + "/web-attach"));
}

namespace {

/// Takes frames apart and compares each byte of stdout with `pattern`, which
/// comes again and again.
class checking_client {
public:
  checking_client(shim_client& by, const std::string& pattern)
    : attached_(by, "web-1", false), pattern_(pattern) {
  }

  [[nodiscard]] int socket() const {
    return attached_.socket();
  }

  /// Reads once; false at the end.
  bool read_some() {
    static std::string buffer(256U << 10U, '\0');
    const auto n = ::read(socket(), buffer.data(), buffer.size());
    if (n <= 0)
      return false;
    for (std::string_view rest{buffer.data(), static_cast<std::size_t>(n)};
         !rest.empty();) {
      if (left_ == 0) {
        header_ += rest.front();
        rest.remove_prefix(1);
        if (header_.size() == shim::frame_header_size)
          begin_frame();
        continue;
      }
      const auto body = rest.substr(0, left_);
      take(body);
      left_ -= static_cast<std::uint32_t>(body.size());
      rest.remove_prefix(body.size());
    }
    return true;
  }

  std::uint64_t right = 0; ///< Bytes of stdout that were as they had to be.
  std::string status;

private:
  void begin_frame() {
    shim::frame_header header{};
    std::copy(header_.begin(), header_.end(), header.begin());
    header_.clear();
    stream_ = static_cast<shim::frame_stream>(header[0]);
    left_ = shim::length_of(header);
  }

  void take(std::string_view body) {
    if (stream_ == shim::frame_stream::status) {
      status += body;
      return;
    }
    while (!body.empty()) {
      const auto at = right % pattern_.size();
      const auto piece = body.substr(0, pattern_.size() - at);
      REQUIRE(pattern_.compare(at, piece.size(), piece) == 0);
      right += piece.size();
      body.remove_prefix(piece.size());
    }
  }

  attached attached_;
  const std::string& pattern_;
  std::string header_;
  std::uint32_t left_ = 0;
  shim::frame_stream stream_ = shim::frame_stream::out;
};

} // namespace

TEST_CASE("a hundred clients and a gigabyte", "[.][heavy]") {
  constexpr auto repeats = 64U;
  shim_box box;
  std::mt19937_64 random{1};
  std::string pattern;
  while (pattern.size() < 16U << 20U)
    pattern += std::to_string(random());
  pattern.resize(16U << 20U);
  box.fs.write("data/pattern", pattern);
  auto request = launch_of("web-1");
  request.open_stdin = true;
  box.begin(request,
            waiting_plan(box, "i=0; while [ $i -lt 64 ]; do cat /data/pattern; "
                              "i=$((i+1)); done"));
  auto lazy = attached::request_of("web-1", false);
  lazy.when_full = overflow::drop;
  attached stopped{box.supervisor, lazy};
  std::vector<std::unique_ptr<checking_client>> clients;
  std::vector<pollfd> all;
  for (auto i = 0; i < 99; ++i) {
    clients.push_back(
      std::make_unique<checking_client>(box.supervisor, pattern));
    all.push_back({clients.back()->socket(), POLLIN, 0});
  }
  attached starter{box.supervisor, "web-1", true, false};
  starter.send("go\n");
  for (auto open = all.size(); open > 0;) {
    REQUIRE(::poll(all.data(), all.size(), 60'000) > 0);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i].revents != 0 && !clients[i]->read_some()) {
        all[i].fd = -1;
        --open;
      }
  }
  const auto total = std::uint64_t{repeats} * pattern.size();
  for (const auto& each : clients) {
    CHECK(each->right == total);
    CHECK(each->status == R"({"exit_code":0,"signal":0})");
  }
  const auto exited = box.supervisor.wait_for("web-1", process_state::exited);
  stopped.receive_all();
  CHECK(stopped.out.size()
          + static_cast<std::uint64_t>(exited.attached.bytes_dropped)
        == total);
  std::cerr << "dropped for the stopped client: "
            << exited.attached.bytes_dropped << " of " << total << '\n';
}

} // namespace troupe::shim_attach_test
