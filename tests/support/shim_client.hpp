#pragma once

#include "runtime/linux/memfd.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/protocol/frames.hpp"
#include "runtime/shim/protocol/messages.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <poll.h>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace troupe::test {

inline const auto shim_patience = patient(std::chrono::seconds{60});

/// True once `fd` is readable (or hung up), false after the deadline.
inline bool readable(int fd, std::chrono::milliseconds within = shim_patience) {
  auto about = pollfd{fd, POLLIN, 0};
  return ::poll(&about, 1, static_cast<int>(within.count())) == 1;
}

/// True as soon as `condition` is; false after the deadline.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + shim_patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

inline std::string file_content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream{path}.rdbuf();
  return out.str();
}

/// A supervisor's end of the protocol: sends, and keeps what comes.
class shim_client {
public:
  explicit shim_client(const std::string& path) {
    auto connected = sys::seqpacket_connect(path);
    if (!connected)
      FAIL(connected.error().what);
    socket_ = *std::move(connected);
  }

  explicit shim_client(sys::unique_fd socket) noexcept
    : socket_(std::move(socket)) {
  }

  std::uint64_t send(shim::request what, const std::vector<int>& fds = {}) {
    if (const auto sent = try_send(std::move(what), fds); !sent)
      FAIL(sent.error().what);
    return last_seq_;
  }

  /// The same where the shim may have ended.
  outcome try_send(shim::request what, const std::vector<int>& fds = {}) {
    const auto seq = ++last_seq_;
    std::visit([&](auto& x) { x.seq = seq; }, what);
    const auto packet = encode(what);
    auto sent = sys::send_packet(socket_.get(), packet, fds);
    while (!sent && sent.error().code == fault::exhausted) {
      auto about = pollfd{socket_.get(), POLLOUT, 0};
      if (::poll(&about, 1, patient_ms(60'000)) != 1)
        break;
      sent = sys::send_packet(socket_.get(), packet, fds);
    }
    return sent;
  }

  /// Sends, and waits for the reply.
  shim::reply ask(shim::request what, const std::vector<int>& fds = {}) {
    return reply_to(send(std::move(what), fds));
  }

  shim::reply reply_to(std::uint64_t seq) {
    while (!replies.contains(seq))
      REQUIRE(receive());
    return replies[seq];
  }

  shim::record wait_for(const shim::process_key& key,
                        shim::process_state state) {
    while (!records.contains(key) || records[key].state != state)
      REQUIRE(receive());
    return records[key];
  }

  void wait_until_synced() {
    while (!synced)
      REQUIRE(receive());
  }

  /// Takes one notice; false if the shim has closed the connection, or after
  /// the deadline.
  bool receive() {
    if (!readable(socket_.get()))
      return false;
    auto packet = sys::receive_packet(socket_.get());
    if (!packet || packet->closed)
      return false;
    auto got = shim::decode_notice(packet->bytes);
    if (!got)
      FAIL(got.error().what);
    std::visit([&](auto& x) { keep(x); }, *got);
    return true;
  }

  template <class Plan>
  shim::reply launch(shim::launch what, const Plan& plan) {
    return reply_to(send_launch(std::move(what), plan));
  }

  template <class Plan>
  std::uint64_t send_launch(shim::launch what, const Plan& plan) {
    const auto memfd = sys::sealed_memfd("plan", encode(plan)).value();
    return send(std::move(what), {memfd.get()});
  }

  shim::reply start(const shim::process_key& key) {
    return ask(shim::start{0, key});
  }

  void drop() {
    socket_.reset();
  }

  [[nodiscard]] int socket() const {
    return socket_.get();
  }

  std::map<shim::process_key, shim::record> records;
  std::map<std::uint64_t, shim::reply> replies;
  std::vector<shim::warning> warnings;
  std::optional<shim::hello> hello;
  bool synced = false;

private:
  void keep(shim::hello& x) {
    hello = x;
  }

  void keep(shim::record& x) {
    records[x.key] = x;
  }

  void keep(shim::synced&) {
    synced = true;
  }

  void keep(shim::reply& x) {
    replies[x.seq] = x;
  }

  void keep(shim::warning& x) {
    warnings.push_back(x);
  }

  sys::unique_fd socket_;
  std::uint64_t last_seq_ = 0;
};

} // namespace troupe::test
