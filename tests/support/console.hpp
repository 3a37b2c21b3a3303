#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "tests/support/stream_message.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::test {

/// Plays the client that holds a container's terminal: conmon, containerd.
class console {
public:
  console() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    client_.reset(ends[0]);
    runtime_.reset(ends[1]);
  }

  /// Adds the runtime's end to the lines of a launch.
  void operator()(launch::lines& with) const {
    with.console = runtime_.get();
  }

  /// Takes the master that the launch has sent; returns the text beside it.
  std::string take_master() {
    runtime_.reset();
    auto got = receive_message(client_.get());
    REQUIRE(got.fd);
    master_ = std::move(got.fd);
    return got.text;
  }

  /// Whether nothing was sent, after the launch.
  bool is_unused() {
    runtime_.reset();
    const auto got = receive_message(client_.get());
    return got.text.empty() && !got.fd;
  }

  /// All that is shown until the last slave is closed, without the returns that
  /// a terminal adds.
  std::string read_all() {
    std::string out;
    char part[4096];
    for (;;) {
      const auto n = ::read(master_.get(), part, sizeof(part));
      if (n <= 0)
        break;
      out.append(part, static_cast<std::size_t>(n));
    }
    std::erase(out, '\r');
    return out;
  }

  [[nodiscard]] int master() const {
    return master_.get();
  }

private:
  sys::unique_fd client_;
  sys::unique_fd runtime_;
  sys::unique_fd master_;
};

} // namespace troupe::test
