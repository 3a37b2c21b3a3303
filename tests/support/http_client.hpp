#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "tests/support/patience.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace troupe::test {

/// An HTTP/1.1 client over a unix socket that can misbehave: it sends what it
/// is told, as it is told. Reads give up after 30 s
/// (patience.hpp).
class http_client {
public:
  struct answer {
    int status = 0; ///< 0: the connection ended before an answer.
    std::map<std::string, std::string> headers; ///< Names in lower case.
    std::string body;
  };

  explicit http_client(const std::string& path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), at.sun_path);
    const timeval patience{30L * patience_factor(), 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
                 sizeof patience);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience,
                 sizeof patience);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at)
        != 0)
      socket_.reset();
  }

  [[nodiscard]] bool connected() const {
    return static_cast<bool>(socket_);
  }

  /// False once the other side takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto put = ::send(socket_.get(), bytes.data(), bytes.size(),
                              MSG_NOSIGNAL);
      if (put <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  bool request(const std::string& method, const std::string& target,
               const std::string& body = {}, const std::string& headers = {}) {
    auto text = method + ' ' + target + " HTTP/1.1\r\nHost: t\r\n" + headers;
    if (!body.empty())
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return send(text + "\r\n" + body);
  }

  answer ask(const std::string& method, const std::string& target,
             const std::string& body = {}, const std::string& headers = {}) {
    request(method, target, body, headers);
    return read();
  }

  /// Reads an answer's head.
  answer read_head() {
    answer out;
    const auto head = read_until("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 "))
      return out;
    out.status = std::atoi(head.c_str() + 9);
    auto rest = std::string_view{head}.substr(head.find("\r\n") + 2);
    while (rest.size() > 2) {
      const auto line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(line.size() + 2);
      std::string name{line.substr(0, line.find(':'))};
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return std::tolower(c); });
      out.headers[name] = line.substr(std::min(name.size() + 2, line.size()));
    }
    return out;
  }

  /// Reads a whole answer.
  answer read() {
    auto out = read_head();
    if (out.headers.contains("transfer-encoding"))
      for (auto chunk = read_chunk(); !chunk.empty(); chunk = read_chunk())
        out.body += chunk;
    else if (out.headers.contains("content-length"))
      out.body = read_exactly(std::stoul(out.headers["content-length"]));
    return out;
  }

  /// The next chunk of a chunked body; empty at its end, or at EOF.
  std::string read_chunk() {
    const auto size = read_until("\r\n");
    if (size.empty())
      return {};
    auto chunk = read_exactly(std::stoul(size, nullptr, 16));
    read_exactly(2);
    return chunk;
  }

  std::string read_exactly(std::size_t size) {
    while (pending_.size() < size && read_more()) {
    }
    return take(std::min(size, pending_.size()));
  }

  /// True if the other side closes before it sends anything more.
  [[nodiscard]] bool closed() {
    return pending_.empty() && !read_more();
  }

  void close_for_writing() {
    ::shutdown(socket_.get(), SHUT_WR);
  }

  [[nodiscard]] int fd() const {
    return socket_.get();
  }

private:
  std::string read_until(std::string_view mark) {
    while (pending_.find(mark) == std::string::npos)
      if (!read_more())
        return take(pending_.size());
    return take(pending_.find(mark) + mark.size());
  }

  std::string take(std::size_t size) {
    auto out = pending_.substr(0, size);
    pending_.erase(0, size);
    return out;
  }

  bool read_more() {
    char bytes[16384];
    const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got <= 0)
      return false;
    pending_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  sys::unique_fd socket_;
  std::string pending_;
};

} // namespace troupe::test
