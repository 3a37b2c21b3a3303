#pragma once

#include "runtime/linux/fd_socket.hpp"
#include "runtime/linux/stream_socket.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "tests/support/stream_message.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cerrno>
#include <functional>
#include <linux/seccomp.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <thread>

namespace troupe::test {

/// Plays the agent behind a profile's listenerPath: takes one descriptor and
/// answers what comes over it until its processes are gone.
class seccomp_agent {
public:
  /// `answer` gets the number of a system call and sets the response's fields.
  using answers = std::function<void(int, seccomp_notif_resp&)>;

  seccomp_agent(std::string path, answers answer)
    : path_(std::move(path)),
      answer_(std::move(answer)),
      listener_(sys::stream_listen(path_).value()),
      thread_([this] { serve(); }) {
  }

  ~seccomp_agent() {
    // Wakes an agent that nobody has come to.
    const auto poke = sys::connect_stream(path_);
    thread_.join();
  }

  seccomp_agent(const seccomp_agent&) = delete;
  seccomp_agent& operator=(const seccomp_agent&) = delete;

  /// The container process state that came with the descriptor; complete when
  /// the agent's processes are gone.
  nlohmann::json state() {
    if (thread_.joinable())
      thread_.join();
    thread_ = std::thread{[] {}};
    return nlohmann::json::parse(state_, nullptr, false);
  }

  [[nodiscard]] int answered() const {
    return answered_;
  }

private:
  void serve() {
    auto waiting = pollfd{listener_.get(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    const auto client = sys::stream_accept(listener_.get()).value();
    waiting = {client.get(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    auto got = receive_message(client.get());
    state_ = std::move(got.text);
    if (got.fd)
      answer_all(got.fd.get());
  }

  /// POLLHUP: no process is under the filter any more.
  void answer_all(int notifications) {
    for (;;) {
      auto waiting = pollfd{notifications, POLLIN, 0};
      ::poll(&waiting, 1, -1);
      if ((waiting.revents & POLLIN) == 0)
        return;
      auto asked = seccomp_notif{};
      if (::ioctl(notifications, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
        continue; // the caller was killed meanwhile
      auto response = seccomp_notif_resp{};
      response.id = asked.id;
      answer_(asked.data.nr, response);
      if (::ioctl(notifications, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0)
        ++answered_;
    }
  }

  std::string path_;
  answers answer_;
  sys::unique_fd listener_;
  std::string state_;
  std::atomic<int> answered_ = 0;
  std::thread thread_;
};

} // namespace troupe::test
