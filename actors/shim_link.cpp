#include "actors/shim_link.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "actors/reactor.hpp"
#include "config/base/fault_point.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <deque>
#include <map>
#include <sys/epoll.h>
#include <unordered_map>
#include <utility>

namespace troupe {

namespace {

/// Packets that wait while the socket is full; more calls are refused.
constexpr std::size_t max_outgoing = 4096;

/// Calls that wait for the shim's reply. Deadlines are the requesters': what
/// they no longer wait for stays here until the shim replies, which it always
/// does. Should it not, the oldest give way.
constexpr std::size_t max_pending = 16'384;

/// Packets read before other messages get their turn.
constexpr int packets_per_turn = 64;

using answer_promise = caf::typed_response_promise<msg::shim_answer>;

struct pending_call {
  answer_promise promise;
  /// Of a `forget`: its success drops the record.
  shim::process_key forgets;
};

/// A call that has its number, encoded.
struct outgoing_packet {
  std::uint64_t seq = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<msg::shared_fd> fds; ///< Kept open until they are sent.
};

failure gone(std::string why) {
  return {fault::unavailable, 0, "shim: " + std::move(why)};
}

outcome send(int socket, const outgoing_packet& x) {
  std::vector<int> fds;
  for (const auto& each : x.fds)
    fds.push_back(each->get());
  return sys::send_packet(socket, x.bytes, fds);
}

// -- the actor ----------------------------------------------------------------

struct shim_link_state {
  using self_pointer = shim_link_actor::stateful_pointer<shim_link_state>;

  static constexpr const char* name = "shim_link";

  explicit shim_link_state(self_pointer ptr) : self(ptr) {
  }

  void listen(sys::poller& poller, sys::unique_fd fd);

  // -- what the shim says
  void on_ready();
  outcome read_some();
  void on(const shim::hello& x);
  void on(const shim::record& x);
  void on(const shim::synced& x);
  void on(const shim::reply& x);
  void on(const shim::warning& x);

  // -- what the others say
  caf::result<msg::shim_answer> call(msg::shim_call& x);
  void own(const msg::own_process& x);
  void disown(const shim::process_key& key);
  void await_sync(const msg::await_sync& x);
  void drop_owner(const caf::actor_addr& whom);

  // -- sending
  outcome flush();
  void arm();
  void evict_oldest();

  /// Answers everyone who waits with `why`, and ends.
  void lose(const failure& why);
  void finish(const caf::error& reason, const failure& answer);

  msg::shim_synced everything() const;

  self_pointer self;
  sys::watched_fd socket;
  bool greeted = false;
  bool synced = false;
  shim::hello peer;
  /// The shim's table, as far as it has told: the newest record of each key.
  std::unordered_map<shim::process_key, shim::record> records;
  std::unordered_map<shim::process_key, process_owner_actor> owners;
  std::vector<sync_listener_actor> listeners;
  std::uint64_t last_seq = 0;
  std::map<std::uint64_t, pending_call> pending;
  std::deque<outgoing_packet> outgoing;
};

void shim_link_state::listen(sys::poller& poller, sys::unique_fd fd) {
  const auto link = shim_link_actor{self};
  auto watched = sys::watched_fd::watch(poller, std::move(fd), EPOLLIN,
                                        notify(link));
  if (watched)
    socket = *std::move(watched);
  else // Nobody can quit before it has a behaviour.
    self->send_exit(link, to_caf(gone(watched.error().what)));
}

// -- what the shim says -------------------------------------------------------

void shim_link_state::on_ready() {
  if (!socket)
    return;
  auto served = read_some();
  if (served)
    served = flush();
  if (!served)
    return lose(served.error());
  arm();
}

outcome shim_link_state::read_some() {
  for (auto i = 0; i < packets_per_turn; ++i) {
    auto got = sys::receive_packet(socket.get(), shim::max_packet);
    if (!got && got.error().os_errno == EAGAIN)
      return {};
    if (!got)
      return fail(gone(got.error().what));
    if (got->closed)
      return fail(gone("has closed the connection"));
    const auto notice = shim::decode_notice(got->bytes);
    if (!notice)
      return fail(gone("sends what is no notice: " + notice.error().what));
    // One that greets again has been upgraded.
    if (!greeted && !std::holds_alternative<shim::hello>(*notice))
      return fail(gone("does not greet"));
    std::visit([this](const auto& x) { on(x); }, *notice);
    if (peer.protocol != shim::protocol_version)
      return fail(gone("speaks protocol " + std::to_string(peer.protocol)
                       + ", this supervisor speaks "
                       + std::to_string(shim::protocol_version)));
  }
  return {};
}

void shim_link_state::on(const shim::hello& x) {
  greeted = true;
  peer = x;
}

void shim_link_state::on(const shim::record& x) {
  fault_point("shim_link", "record", shim::to_string(x.state));
  records.insert_or_assign(x.key, x);
  if (const auto owner = owners.find(x.key); owner != owners.end())
    self->send(owner->second, msg::process_changed{x});
}

void shim_link_state::on(const shim::synced&) {
  synced = true;
  for (const auto& each : std::exchange(listeners, {}))
    self->send(each, everything());
}

void shim_link_state::on(const shim::reply& x) {
  fault_point("shim_link", "reply", x.fault == 0 ? "done" : "refused");
  auto call = pending.extract(x.seq);
  if (!call)
    return; // It has been evicted.
  auto& [promise, forgets] = call.mapped();
  if (!forgets.empty() && x.fault == 0)
    records.erase(forgets);
  promise.deliver(msg::shim_answer{x});
}

void shim_link_state::on(const shim::warning& x) {
  if (const auto owner = owners.find(x.key); owner != owners.end())
    self->send(owner->second, msg::process_warned{x});
  else
    spdlog::warn("shim: {}{}{}", x.key, x.key.empty() ? "" : ": ", x.what);
}

msg::shim_synced shim_link_state::everything() const {
  msg::shim_synced out;
  out.shim_pid = peer.pid;
  out.shim_version = peer.version;
  out.spare_launchers = peer.spare_launchers;
  for (const auto& [key, record] : records)
    out.records.push_back(record);
  return out;
}

// -- what the others say ------------------------------------------------------

caf::result<msg::shim_answer> shim_link_state::call(msg::shim_call& x) {
  if (!socket)
    return to_caf(gone("the connection is lost"));
  if (outgoing.size() >= max_outgoing)
    return to_caf({fault::exhausted, EAGAIN,
                   "shim: " + std::to_string(max_outgoing)
                     + " calls wait for its socket already"});
  const auto seq = ++last_seq;
  std::visit([seq](auto& request) { request.seq = seq; }, x.call);
  const fault_scope step{"shim_link", shim::name_of(x.call)};
  auto bytes = shim::encode(x.call);
  if (bytes.size() > shim::max_packet)
    return to_caf({fault::invalid_config, 0,
                   "shim: a call of " + std::to_string(bytes.size())
                     + " bytes, " + std::to_string(shim::max_packet)
                     + " allowed"});
  evict_oldest();
  auto promise = self->make_response_promise<msg::shim_answer>();
  const auto* forget = std::get_if<shim::forget>(&x.call);
  pending.emplace(seq,
                  pending_call{promise, forget ? forget->key : std::string{}});
  outgoing.push_back({seq, std::move(bytes), std::move(x.fds)});
  if (outgoing.size() == 1) { // Otherwise EPOLLOUT is awaited already.
    if (auto sent = flush(); !sent)
      lose(sent.error());
    else if (!outgoing.empty())
      arm();
  }
  return promise;
}

void shim_link_state::own(const msg::own_process& x) {
  disown(x.key);
  owners.emplace(x.key, x.owner);
  self->monitor(x.owner);
  if (const auto newest = records.find(x.key); newest != records.end())
    self->send(x.owner, msg::process_changed{newest->second});
}

/// Its record stays: the shim has it until it is told to forget.
void shim_link_state::disown(const shim::process_key& key) {
  if (const auto owner = owners.extract(key))
    self->demonitor(owner.mapped().address());
}

void shim_link_state::await_sync(const msg::await_sync& x) {
  if (synced)
    self->send(x.listener, everything());
  else
    listeners.push_back(x.listener);
}

void shim_link_state::drop_owner(const caf::actor_addr& whom) {
  std::erase_if(owners, [&](const auto& each) { return each.second == whom; });
}

// -- sending ------------------------------------------------------------------

/// Sends what waits until the socket is full. Fails if the socket is broken; a
/// packet that is refused alone is its caller's failure.
outcome shim_link_state::flush() {
  while (!outgoing.empty()) {
    const auto sent = send(socket.get(), outgoing.front());
    if (!sent && sent.error().os_errno == EAGAIN)
      return {};
    if (!sent && sent.error().code == fault::unavailable)
      return fail(gone(sent.error().what));
    if (!sent)
      if (auto call = pending.extract(outgoing.front().seq))
        call.mapped().promise.deliver(to_caf(sent.error()));
    outgoing.pop_front();
  }
  return {};
}

void shim_link_state::arm() {
  const auto events = outgoing.empty() ? EPOLLIN
                                       : std::uint32_t{EPOLLIN | EPOLLOUT};
  if (const auto armed = socket.arm(events); !armed)
    lose(gone(armed.error().what));
}

void shim_link_state::evict_oldest() {
  if (pending.size() < max_pending)
    return;
  auto oldest = pending.extract(pending.begin());
  oldest.mapped().promise.deliver(to_caf(
    {fault::timed_out, 0, "shim: no reply, and too many later calls wait"}));
}

// -- the end ------------------------------------------------------------------

void shim_link_state::lose(const failure& why) {
  finish(to_caf(why), why); // Whoever monitors us logs it.
}

void shim_link_state::finish(const caf::error& reason, const failure& answer) {
  // CAF 0.17 breaks no promise: who asked would wait for its deadline.
  for (auto& [seq, call] : std::exchange(pending, {}))
    call.promise.deliver(to_caf(answer));
  outgoing.clear();
  socket.close();
  self->quit(reason);
}

shim_link_actor::behavior_type shim_link(shim_link_state::self_pointer self,
                                         sys::poller* poller,
                                         const msg::shared_fd& socket) {
  auto& state = self->state;
  guard(self);
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.drop_owner(x.source); });
  self->set_exit_handler([&state](const caf::exit_msg& x) {
    state.finish(x.reason, gone("the link to it has been ended"));
  });
  state.listen(*poller, std::move(*socket));
  return {
    [&state](msg::shim_call& x) { return state.call(x); },
    [&state](const msg::own_process& x) { state.own(x); },
    [&state](const msg::disown_process& x) { state.disown(x.key); },
    [&state](const msg::await_sync& x) { state.await_sync(x); },
    [&state](const msg::fd_ready&) { state.on_ready(); },
  };
}

} // namespace

shim_link_actor spawn_shim_link(caf::actor_system& system, sys::poller& poller,
                                sys::unique_fd socket) {
  return system.spawn(shim_link, &poller,
                      std::make_shared<sys::unique_fd>(std::move(socket)));
}

} // namespace troupe
