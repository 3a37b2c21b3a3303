#include "actors/gateway/pipe.hpp"

#include "actors/deadlines.hpp"
#include "actors/guard.hpp"
#include "actors/reactor.hpp"
#include "runtime/linux/stream_socket.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <caf/actor_cast.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <utility>

namespace troupe::gateway {

namespace {

/// Bytes under way to one end: what a link of some GB/s carries in the
/// millisecond that a dozen threads take to hand a chunk on, and credit back.
constexpr std::int64_t window = 1 << 20;
constexpr std::int64_t least_credit = window / 8; ///< Told at once.
constexpr std::size_t longest_chunk = 64U << 10U;
constexpr auto peer_patience = std::chrono::seconds{10};

enum class pipe_due : std::uint8_t { peer_missing, count };

using local_pipe_actor
  = protocol<caf::reacts_to<msg::fd_ready>,
             caf::reacts_to<msg::deadline>>::plus<pipe_actor>::actor;

struct pipe_state {
  using pointer = local_pipe_actor::stateful_pointer<pipe_state>;

  static constexpr const char* name = "gateway.pipe";

  explicit pipe_state(pointer me) : self(me), due(me) {
  }

  void meet(const caf::strong_actor_ptr& whom);
  void credit(const msg::pipe_credit& x);
  void data(const msg::pipe_data& x);
  void proceed();
  void read();
  void write();
  bool write_pending();
  void owe(std::int64_t bytes);
  void arm();
  void peer_ends();
  void quit_if_done();

  pointer self;
  sys::watched_fd fd;
  pipe_actor peer; ///< Null: nobody has come yet.
  deadlines<pointer, pipe_due> due;
  std::int64_t room = 0; ///< Bytes that the peer can take.
  std::int64_t owed = 0; ///< Bytes written of which it has not been told.
  std::deque<std::string> pending; ///< To be written.
  std::size_t begun = 0;           ///< Bytes of the first that are.
  std::int64_t held = 0;           ///< Bytes pending.
  bool read_ended = false;
  bool hung_up = false;    ///< Whoever had the descriptor's other end is gone.
  bool peer_ended = false; ///< Nothing comes any more but what is pending.
  bool write_ended = false;
};

void pipe_state::meet(const caf::strong_actor_ptr& whom) {
  peer = caf::actor_cast<pipe_actor>(whom);
  due.disarm(pipe_due::peer_missing);
  self->monitor(peer);
  self->send(peer, msg::pipe_credit{window});
}

void pipe_state::credit(const msg::pipe_credit& x) {
  if (!peer)
    meet(self->current_sender());
  room += std::clamp<std::int64_t>(x.bytes, 0, window);
  proceed();
}

void pipe_state::data(const msg::pipe_data& x) {
  if (held + std::ssize(x.bytes) > window)
    return self->quit(); // More than it was told.
  held += std::ssize(x.bytes);
  // Small ones together: a string for each byte would be forty times as much.
  if (pending.empty() || pending.back().size() + x.bytes.size() > longest_chunk)
    pending.push_back(x.bytes);
  else
    pending.back() += x.bytes;
  proceed();
}

void pipe_state::proceed() {
  read();
  write();
  quit_if_done();
  if (fd)
    arm();
}

void pipe_state::read() {
  while (!read_ended && room > 0) {
    std::string chunk(
      std::min<std::size_t>(longest_chunk, static_cast<std::size_t>(room)),
      '\0');
    const auto got = sys::read_some(fd.get(), chunk);
    if (got.would_block)
      return;
    if (got.bytes == 0) {
      read_ended = true;
      self->send(peer, msg::pipe_end{});
      return;
    }
    chunk.resize(got.bytes);
    room -= std::ssize(chunk);
    self->send(peer, msg::pipe_data{std::move(chunk)});
  }
}

void pipe_state::owe(std::int64_t bytes) {
  owed += bytes;
  if (owed >= least_credit && peer && !peer_ended)
    self->send(peer, msg::pipe_credit{std::exchange(owed, 0)});
}

/// False: nobody will ever read it.
bool pipe_state::write_pending() {
  while (!pending.empty()) {
    const auto rest = std::string_view{pending.front()}.substr(begun);
    const auto put = sys::write_some(fd.get(), rest);
    if (put.failed)
      return false;
    const auto written = static_cast<std::int64_t>(put.bytes);
    begun += put.bytes;
    held -= written;
    owe(written);
    if (put.bytes < rest.size())
      return true;
    pending.pop_front();
    begun = 0;
  }
  return true;
}

void pipe_state::write() {
  const auto failed = (hung_up && read_ended) || !write_pending();
  if (failed) { // Nobody reads; what there is to be read still counts.
    pending.clear();
    held = 0;
    peer_ended = write_ended = true;
  }
  if (pending.empty() && peer_ended && !std::exchange(write_ended, true))
    sys::end_writing(fd.get());
}

void pipe_state::arm() {
  const auto wanted = (!read_ended && room > 0 ? EPOLLIN : 0U)
                      | (pending.empty() ? 0U : EPOLLOUT);
  if (wanted != 0 || !hung_up) // EPOLLHUP comes in any case.
    static_cast<void>(fd.arm(wanted));
}

void pipe_state::peer_ends() {
  peer_ended = true;
  proceed();
}

void pipe_state::quit_if_done() {
  if (!read_ended || !write_ended)
    return;
  fd.close();
  if (peer)
    self->demonitor(peer.address());
  self->quit();
}

local_pipe_actor::behavior_type
pipe(pipe_state::pointer self, sys::poller* reactor, const msg::shared_fd& fd,
     const remote_caller_actor& caller, const caf::strong_actor_ptr& peer) {
  guard(self);
  auto& state = self->state;
  self->set_down_handler([&state](const caf::down_msg&) {
    state.read_ended = true; // It takes nothing any more.
    state.peer_ends();
  });
  auto watched = sys::watched_fd::watch(*reactor, std::move(*fd), 0,
                                        notify(fd_owner_actor{self}));
  if (watched)
    state.fd = *std::move(watched);
  else
    self->quit();
  if (peer)
    state.meet(peer);
  if (caller) {
    state.due.arm(pipe_due::peer_missing, peer_patience);
    self->send(caller, msg::remote_upgrade{});
  }
  return {
    [&state](const msg::fd_ready& x) {
      state.hung_up |= (x.events & (EPOLLHUP | EPOLLERR)) != 0;
      state.proceed();
    },
    [self](const msg::deadline& x) {
      if (self->state.due.reached(x))
        self->quit();
    },
    [&state](const msg::pipe_credit& x) { state.credit(x); },
    [&state](const msg::pipe_data& x) { state.data(x); },
    [&state](const msg::pipe_end&) { state.peer_ends(); },
  };
}

} // namespace

void offer_pipe(caf::actor_system& system, sys::poller& reactor,
                sys::unique_fd fd, remote_caller_actor caller) {
  system.spawn(pipe, &reactor, std::make_shared<sys::unique_fd>(std::move(fd)),
               std::move(caller), caf::strong_actor_ptr{});
}

void join_pipe(caf::actor_system& system, sys::poller& reactor,
               sys::unique_fd fd, const caf::strong_actor_ptr& peer) {
  system.spawn(pipe, &reactor, std::make_shared<sys::unique_fd>(std::move(fd)),
               remote_caller_actor{}, peer);
}

} // namespace troupe::gateway
