#include "runtime/oci/foreground.hpp"

#include "runtime/linux/daemon.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/oci/terminal.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/socket.h>

namespace troupe::oci_runtime {

namespace {

/// Hands on what is there. Our children's ends are not the process's.
void forward(int signals, const process& to, terminal* tty) {
  while (const auto signo = sys::next_signal(signals)) {
    if (*signo == SIGWINCH && tty != nullptr)
      tty->resize();
    else if (*signo != SIGCHLD && *signo != SIGPIPE && *signo != SIGURG)
      (void)sys::send_signal(to.pidfd.get(), *signo); // ESRCH: it has ended
  }
}

result<terminal> receive_terminal(int line) {
  TROUPE_TRY(auto packet, sys::receive_packet(line));
  if (packet.fds.empty())
    return fail(fault::unavailable, "the container's terminal did not come");
  return terminal::carry(std::move(packet.fds.front()));
}

} // namespace

result<foreground> foreground::prepare() {
  foreground out;
  TROUPE_TRY(out.signals_, sys::divert_signals());
  auto ends = std::array{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_os(errno, "socketpair", "console");
  out.console_ = {sys::unique_fd{ends[0]}, sys::unique_fd{ends[1]}};
  return out;
}

result<int> foreground::carry(const process& x, bool with_terminal) {
  console_.second.reset();
  std::optional<terminal> tty;
  if (with_terminal) {
    TROUPE_TRY(tty, receive_terminal(console_.first.get()));
  }
  for (auto ended = false; !ended;) {
    auto waiting = std::array{
      pollfd{signals_.get(), POLLIN, 0}, pollfd{x.pidfd.get(), POLLIN, 0},
      pollfd{-1, 0, 0}, pollfd{-1, 0, 0}, pollfd{-1, 0, 0}};
    if (tty)
      tty->ask(waiting[2], waiting[3], waiting[4]);
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
      return fail_os(errno, "poll", "");
    forward(signals_.get(), x, tty ? &*tty : nullptr);
    if (tty)
      tty->move(waiting[2], waiting[3], waiting[4]);
    ended = waiting[1].revents != 0;
  }
  if (tty)
    tty->finish();
  TROUPE_TRY(const auto status, sys::wait_for_exit(x.pidfd.get()));
  return status.shell_code();
}

} // namespace troupe::oci_runtime
