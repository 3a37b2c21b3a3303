#include "runtime/shim/forker.hpp"

#include "runtime/linux/descriptors.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <array>
#include <cstring>
#include <sys/socket.h>
#include <utility>

namespace troupe::shim {

namespace {

constexpr std::array<std::uint8_t, 1> order_word{'o'};

/// With its pidfd and our end of its line; 0 and neither: it failed.
using delivery = std::array<std::uint8_t, sizeof(pid_t)>;

outcome deliver(int line, const result<child>& made) {
  delivery pid{};
  if (!made)
    return sys::send_packet(line, pid);
  std::memcpy(pid.data(), &made->pid, sizeof made->pid);
  return sys::send_packet(line, pid,
                          std::array{made->pidfd.get(), made->line.get()});
}

int fork_on_order(int line, const forker::life& of_spares) {
  if (!sys::close_all_but({line}))
    return 1;
  auto ground = launcher::make_spare_ground();
  if (!ground)
    return 1;
  for (;;) {
    const auto order = sys::receive_packet(line);
    if (!order || order->closed)
      return 0;
    const auto made = fork_sibling([&](int own) {
      return of_spares(own, std::move(*ground)); // the child's copy
    });
    if (!deliver(line, made))
      return 0;
  }
}

} // namespace

result<forker> forker::start(const own_process& self, const life& of_spares) {
  TROUPE_TRY(auto process, fork_child(self, [&](int line) {
               return fork_on_order(line, of_spares);
             }));
  return forker{std::move(process)};
}

outcome forker::order() {
  return sys::send_packet(process_.line.get(), order_word);
}

result<std::optional<child>> forker::receive() {
  TROUPE_TRY(auto got,
             sys::receive_packet(process_.line.get(), sizeof(delivery)));
  if (got.closed || got.bytes.size() != sizeof(delivery))
    return fail(fault::unavailable, "the forker is gone");
  if (got.fds.size() != 2)
    return std::nullopt;
  child out{0, std::move(got.fds[0]), std::move(got.fds[1])};
  std::memcpy(&out.pid, got.bytes.data(), sizeof out.pid);
  return out;
}

void forker::finish() {
  (void)::shutdown(process_.line.get(), SHUT_WR);
  (void)sys::wait_for_exit(process_.pidfd.get());
}

} // namespace troupe::shim
