#include "programs/troupe/stream.hpp"

#include "runtime/linux/unique_fd.hpp"
#include "runtime/shim/protocol/frames.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::client {

namespace {

constexpr std::array forwarded{SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                               SIGUSR1, SIGUSR2, SIGWINCH};
/// How long the beginning of the detach keys is held back.
constexpr auto key_patience_ms = 500;
constexpr std::size_t piece = 32U << 10U;

sigset_t forwarded_set() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const auto signo : forwarded)
    ::sigaddset(&set, signo);
  return set;
}

bool write_all(int fd, const char* data, std::size_t size) {
  while (size != 0) {
    const auto written = ::write(fd, data, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// Takes an attach stream apart as its bytes come in.
class frame_reader {
public:
  /// Handles `data`; true once the status frame is complete.
  bool take(const char* data, std::size_t size) {
    pending_.append(data, size);
    std::size_t at = 0;
    while (pending_.size() - at >= shim::frame_header_size) {
      shim::frame_header header;
      std::copy_n(pending_.data() + at, header.size(),
                  reinterpret_cast<char*>(header.data()));
      const auto length = shim::length_of(header);
      if (pending_.size() - at - header.size() < length)
        break;
      deliver(static_cast<shim::frame_stream>(header[0]),
              pending_.data() + at + header.size(), length);
      at += header.size() + length;
    }
    pending_.erase(0, at);
    return !status.empty();
  }

  std::string status; ///< The JSON of the status frame.

private:
  void deliver(shim::frame_stream stream, const char* data,
               std::size_t length) {
    // A reader of ours that went away must not end the process's life: its
    // output is dropped, as `docker run | head` does.
    switch (stream) {
    case shim::frame_stream::out:
      write_all(STDOUT_FILENO, data, length);
      break;
    case shim::frame_stream::err:
      write_all(STDERR_FILENO, data, length);
      break;
    case shim::frame_stream::status:
      status.assign(data, length);
      break;
    case shim::frame_stream::dropped:
      std::fprintf(stderr, "troupe: output is missing here: %.*s\n",
                   static_cast<int>(length), data);
      break;
    case shim::frame_stream::in:
      break;
    }
  }

  std::string pending_;
};

bool send_input(int socket, std::string_view bytes) {
  if (bytes.empty())
    return true;
  const auto header = shim::make_header(
    shim::frame_stream::in, static_cast<std::uint32_t>(bytes.size()));
  return write_all(socket, reinterpret_cast<const char*>(header.data()),
                   header.size())
         && write_all(socket, bytes.data(), bytes.size());
}

/// Sends one piece of our stdin; false at its end.
bool forward_input(int socket, stream_options& options) {
  std::array<char, piece> data{};
  const auto size = ::read(STDIN_FILENO, data.data(), data.size());
  if (size < 0 && errno == EINTR)
    return true;
  if (size > 0) {
    const std::string_view bytes{data.data(), static_cast<std::size_t>(size)};
    if (options.terminal ? send_input(socket, options.keys.take(bytes))
                         : send_input(socket, bytes))
      return true;
  }
  ::shutdown(socket, SHUT_WR);
  return false;
}

result<int> exit_code_of(const std::string& status) {
  const auto document = nlohmann::json::parse(status, nullptr, false);
  if (!document.is_object())
    return fail(fault::os,
                "the stream ended with a malformed status: " + status);
  if (const auto error = document.value("error", std::string{}); !error.empty())
    std::fprintf(stderr, "troupe: %s\n", error.c_str());
  return document.value("exit_code", 0);
}

/// The signal that ends this client; 0 without one.
int take_signals(int signals, const stream_options& options) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    const auto signo = static_cast<int>(info.ssi_signo);
    if (signo == SIGWINCH) {
      if (const auto size = own_window(); size && options.resize)
        options.resize(*size);
    } else if (options.terminal) {
      return signo;
    } else if (options.forward_signal) {
      options.forward_signal(signo);
    }
  }
  return 0;
}

} // namespace

void hold_signals() {
  const auto set = forwarded_set();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

result<stream_end> carry_stream(int socket, stream_options options) {
  hold_signals();
  const auto set = forwarded_set();
  const sys::unique_fd signals{
    ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  std::optional<raw_input> raw;
  if (options.terminal && options.forward_stdin)
    raw.emplace();
  std::array<pollfd, 3> fds{
    pollfd{socket, POLLIN, 0}, pollfd{signals.get(), POLLIN, 0},
    pollfd{options.forward_stdin ? STDIN_FILENO : -1, POLLIN, 0}};
  frame_reader frames;
  std::array<char, piece> data{};
  for (;;) {
    const auto ready = ::poll(fds.data(), fds.size(),
                              options.keys.holds() ? key_patience_ms : -1);
    if (ready < 0 && errno != EINTR)
      return fail_os(errno, "poll", "attach stream");
    if (ready == 0)
      static_cast<void>(send_input(socket, options.keys.release()));
    if (ready <= 0)
      continue;
    if (fds[1].revents != 0)
      if (const auto signo = take_signals(signals.get(), options); signo != 0)
        return stream_end{128 + signo, true};
    if (fds[2].revents != 0 && !forward_input(socket, options))
      fds[2].fd = -1;
    if (options.keys.detached())
      return stream_end{0, true};
    if (fds[0].revents == 0)
      continue;
    const auto size = ::read(socket, data.data(), data.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return fail(fault::unavailable,
                  "the attach stream ended without an exit status");
    if (frames.take(data.data(), static_cast<std::size_t>(size))) {
      raw.reset(); // before there is something to say
      TROUPE_TRY(const auto code, exit_code_of(frames.status));
      return stream_end{code, false};
    }
  }
}

} // namespace troupe::client
