#pragma once

#include "tests/support/shim_client.hpp"

namespace troupe::test {

/// The client's end of an attached stream.
class attached {
public:
  attached(shim_client& by, const shim::process_key& key, bool with_stdin,
           bool with_output = true)
    : attached(by, request_of(key, with_stdin, with_output)) {
  }

  attached(shim_client& by, shim::attach how) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    socket_.reset(ends[0]);
    const sys::unique_fd theirs{ends[1]};
    reply = by.ask(std::move(how), {theirs.get()});
  }

  static shim::attach request_of(const shim::process_key& key, bool with_stdin,
                                 bool with_output = true) {
    shim::attach out;
    out.key = key;
    out.with_stdin = with_stdin;
    out.with_output = with_output;
    return out;
  }

  void send(const std::string& text) {
    const auto header = shim::make_header(
      shim::frame_stream::in, static_cast<std::uint32_t>(text.size()));
    send_raw(std::string{header.begin(), header.end()} + text);
  }

  void send_raw(const std::string& bytes) {
    REQUIRE(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
            == static_cast<ssize_t>(bytes.size()));
  }

  void close_stdin() {
    ::shutdown(socket_.get(), SHUT_WR);
  }

  /// Takes one frame into `out`, `err` or `status`; false at the end.
  bool receive() {
    shim::frame_header header{};
    if (!read_exactly(reinterpret_cast<char*>(header.data()), header.size()))
      return false;
    std::string body(shim::length_of(header), '\0');
    REQUIRE(read_exactly(body.data(), body.size()));
    const auto stream = static_cast<shim::frame_stream>(header[0]);
    auto& to = stream == shim::frame_stream::out       ? out
               : stream == shim::frame_stream::err     ? err
               : stream == shim::frame_stream::dropped ? gaps
                                                       : status;
    to += body;
    return true;
  }

  void receive_all() {
    while (receive())
      continue;
  }

  void drop() {
    socket_.reset();
  }

  [[nodiscard]] int socket() const {
    return socket_.get();
  }

  shim::reply reply;
  std::string out;
  std::string err;
  std::string status;
  std::string gaps; ///< The bodies of frames that tell of dropped output.

private:
  bool read_exactly(char* to, std::size_t size) {
    while (size > 0) {
      REQUIRE(readable(socket_.get()));
      const auto n = ::read(socket_.get(), to, size);
      if (n <= 0)
        return false;
      to += n;
      size -= static_cast<std::size_t>(n);
    }
    return true;
  }

  sys::unique_fd socket_;
};

} // namespace troupe::test
