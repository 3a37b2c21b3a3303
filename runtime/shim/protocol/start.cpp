#include "runtime/shim/protocol/start.hpp"

#include "runtime/linux/memfd.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace troupe::shim {

namespace {

using clock = std::chrono::steady_clock;

/// A shim listens within milliseconds; this is for a machine that swaps.
constexpr std::chrono::seconds patience{20};

/// Everything a child needs, made before fork.
struct command_line {
  command_line(const std::string& socket_path, std::uint32_t spare_launchers,
               int ready)
    : words{"troupe-shim",
            "--listen",
            socket_path,
            "--spare-launchers",
            std::to_string(spare_launchers),
            "--ready-fd",
            std::to_string(ready)} {
  }

  std::array<std::string, 7> words;
};

[[noreturn]] void run_shim(int program, int ready, command_line command) {
  std::array<char*, 8> argv{};
  for (std::size_t i = 0; i < command.words.size(); ++i)
    argv[i] = command.words[i].data();
  std::array<char*, 1> environment{};
  ::fcntl(ready, F_SETFD, 0);
  ::syscall(SYS_execveat, program, "", argv.data(), environment.data(),
            AT_EMPTY_PATH);
  const auto why = os_failure(errno, "execveat", "troupe-shim").what;
  (void)!::write(ready, why.data(), why.size());
  ::_exit(1);
}

// The first fork may lead a session; the second can never get a terminal, and
// the first's end makes it nobody's child but init's: daemon(7).
[[noreturn]] void run_daemon(int program, int ready,
                             const command_line& command) {
  ::setsid();
  const auto pid = ::fork();
  if (pid == 0)
    run_shim(program, ready, command);
  ::_exit(pid < 0 ? 1 : 0);
}

outcome wait_for_child(pid_t pid) {
  TROUPE_TRY(const auto pidfd, sys::open_pidfd(pid));
  TROUPE_TRY(const auto ended, sys::wait_for_exit(pidfd.get()));
  if (ended.shell_code() != 0)
    return fail(fault::exhausted, "start shim: fork: it failed");
  return {};
}

// All that is said on the ready line until it ends.
result<std::string> read_line(int ready) {
  std::string out;
  const auto deadline = clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - clock::now());
    pollfd waiting{ready, POLLIN, 0};
    if (left.count() <= 0)
      return fail(fault::timed_out, "start shim: it does not say whether it "
                                    "listens");
    if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0)
      continue;
    std::array<char, 1024> buffer;
    const auto n = ::read(ready, buffer.data(), buffer.size());
    if (n == 0)
      return out;
    if (n > 0)
      out.append(buffer.data(), static_cast<std::size_t>(n));
    else if (errno != EINTR)
      return fail_os(errno, "read", "ready line");
  }
}

// The shim's next packet, left where it is.
result<std::vector<std::uint8_t>> peek_packet(int socket,
                                              clock::time_point deadline) {
  for (;;) {
    std::vector<std::uint8_t> out(max_packet);
    const auto n = ::recv(socket, out.data(), out.size(),
                          MSG_PEEK | MSG_DONTWAIT);
    if (n == 0)
      return fail(fault::unavailable, "it has closed the connection");
    if (n > 0) {
      out.resize(static_cast<std::size_t>(n));
      return out;
    }
    if (errno != EAGAIN && errno != EINTR)
      return fail_os(errno, "recv", "shim.sock");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - clock::now());
    pollfd waiting{socket, POLLIN, 0};
    if (left.count() <= 0
        || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0)
      return fail(fault::timed_out, "it says nothing");
  }
}

// Drops packets until the next one is a hello, or a refusal in words that we
// understand.
result<greeting> next_greeting(int socket, clock::time_point deadline) {
  for (;;) {
    TROUPE_TRY(const auto packet, peek_packet(socket, deadline));
    if (auto found = decode_greeting(packet))
      return *std::move(found);
    if (const auto notice = decode_notice(packet))
      if (const auto* refusal = std::get_if<reply>(&*notice);
          refusal && refusal->fault != 0)
        return fail(static_cast<fault>(refusal->fault), refusal->what);
    (void)sys::receive_packet(socket, max_packet);
  }
}

failure cannot_agree(const greeting& with, const std::string& why) {
  return {fault::unavailable, 0,
          "the running shim, troupe-shim " + with.version + ", speaks protocol "
            + std::to_string(with.protocol) + ", this trouped speaks "
            + std::to_string(protocol_version)
            + ", and the shim could not be upgraded: " + why
            + "; nothing has changed: its containers run on, and a trouped of "
              "its version can have them"};
}

result<greeting> upgraded(int socket, const std::string& binary,
                          clock::time_point deadline) {
  TROUPE_TRY(const auto program, sys::sealed_copy("troupe-shim", binary));
  (void)sys::receive_packet(socket, max_packet); // the hello that was peeked at
  const std::array fds{program.get()};
  TROUPE_CHECK(sys::send_packet(socket, encode(request{upgrade{1}}), fds));
  return next_greeting(socket, deadline);
}

} // namespace

outcome agree_on_protocol(int socket, const std::string& binary) {
  const auto deadline = clock::now() + patience;
  TROUPE_TRY(const auto found, next_greeting(socket, deadline));
  if (found.protocol == protocol_version)
    return {};
  const auto after = upgraded(socket, binary, deadline);
  if (!after)
    return fail(cannot_agree(found, after.error().what));
  if (after->protocol != protocol_version)
    return fail(cannot_agree(found, "the new one speaks protocol "
                                      + std::to_string(after->protocol)));
  return {};
}

result<void> start_shim(const std::string& binary,
                        const std::string& socket_path,
                        std::uint32_t spare_launchers) {
  TROUPE_TRY(const auto program, sys::sealed_copy("troupe-shim", binary));
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "ready line");
  const sys::unique_fd ready{ends[0]};
  sys::unique_fd shim_ready{ends[1]};
  const command_line command{socket_path, spare_launchers, shim_ready.get()};
  const auto pid = ::fork();
  if (pid < 0)
    return fail_os(errno, "fork", "troupe-shim");
  if (pid == 0)
    run_daemon(program.get(), shim_ready.get(), command);
  shim_ready.reset();
  TROUPE_CHECK(wait_for_child(pid));
  TROUPE_TRY(const auto said, read_line(ready.get()));
  if (said == ready_word)
    return {};
  return fail(fault::unavailable,
              "start shim: " + (said.empty() ? "it died at once" : said));
}

} // namespace troupe::shim
