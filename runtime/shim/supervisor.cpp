#include "runtime/shim/supervisor.hpp"

#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace troupe::shim {

namespace {

/// Requests taken in one go, so that a busy supervisor does not starve pipes.
constexpr auto requests_per_round = 16;

} // namespace

supervisor::supervisor(loop& in, std::uint64_t id, sys::unique_fd socket,
                       listener tell)
  : loop_(in),
    id_(id),
    socket_(std::move(socket)),
    tell_(std::move(tell)),
    self_(std::make_shared<supervisor*>(this)) {
}

result<std::unique_ptr<supervisor>>
supervisor::open(loop& in, std::uint64_t id, sys::unique_fd socket,
                 const std::vector<process_key>& keys, listener tell) {
  std::unique_ptr<supervisor> out{
    new supervisor{in, id, std::move(socket), std::move(tell)}};
  TROUPE_CHECK(out->watch_socket());
  for (const auto& key : keys)
    out->changed(key);
  out->flush_later();
  return out;
}

outcome supervisor::watch_socket() {
  TROUPE_TRY(watch_,
             loop_.add(socket_.get(), EPOLLIN,
                       [this](std::uint32_t events) { ready(events); }));
  return {};
}

std::unique_ptr<supervisor> supervisor::taken_over(loop& in, loader& from,
                                                   listener tell) {
  std::unique_ptr<supervisor> out{new supervisor{in, 0, {}, std::move(tell)}};
  out->hand_over(from);
  return out;
}

outcome supervisor::resume(bool same_protocol,
                           const std::vector<process_key>& keys) {
  TROUPE_CHECK(watch_socket());
  in_dirty_ = {dirty_.begin(), dirty_.end()};
  for (const auto& key : keys)
    changed(key);
  if (!same_protocol) {
    synced_ = false;
    waiting_.clear();
  }
  flush_later();
  return {};
}

void supervisor::ready(std::uint32_t events) {
  if (events & EPOLLOUT)
    flush();
  for (auto i = 0; i < requests_per_round && !lost_; ++i)
    if (!receive())
      return;
}

// False when there is nothing more for now.
bool supervisor::receive() {
  auto got = sys::receive_packet(socket_.get(), max_packet);
  if (!got && got.error().code == fault::exhausted)
    return false;
  if (!got || got->closed) {
    lose();
    return false;
  }
  const auto wanted = decode_request(got->bytes);
  // A peer that speaks something else gets no second chance to be understood.
  if (!wanted) {
    lose();
    return false;
  }
  tell_.requested(*wanted, *std::move(got));
  return true;
}

void supervisor::changed(const process_key& key) {
  if (lost_ || !in_dirty_.insert(key).second)
    return;
  dirty_.push_back(key);
  flush_later();
}

void supervisor::say(const notice& what) {
  if (lost_)
    return;
  if (waiting_.size() >= max_waiting)
    return lose();
  waiting_.push_back(encode(what));
  flush_later();
}

void supervisor::flush_later() {
  if (std::exchange(flushing_, true))
    return;
  loop_.later([alive = std::weak_ptr{self_}] {
    if (const auto self = alive.lock())
      (*self)->flush();
  });
}

void supervisor::flush() {
  flushing_ = false;
  if (lost_)
    return;
  const auto how = flush_all();
  if (how == sent::no)
    return lose();
  watch_.want(how == sent::full ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (idle())
    tell_.flushed();
}

// hello, the records, synced once, and then the rest.
supervisor::sent supervisor::flush_all() {
  if (!greeted_) {
    const auto how = send(encode(tell_.greeting));
    if (how != sent::yes)
      return how;
    greeted_ = true;
  }
  if (const auto how = flush_records(); how != sent::yes)
    return how;
  if (!synced_) {
    if (const auto how = send(encode(synced{})); how != sent::yes)
      return how;
    synced_ = true;
  }
  return flush_waiting();
}

supervisor::sent supervisor::flush_records() {
  for (; !dirty_.empty(); dirty_.pop_front()) {
    if (const auto* found = tell_.record_of(dirty_.front()))
      if (const auto how = send(encode(*found)); how != sent::yes)
        return how;
    in_dirty_.erase(dirty_.front());
  }
  return sent::yes;
}

supervisor::sent supervisor::flush_waiting() {
  for (; !waiting_.empty(); waiting_.pop_front())
    if (const auto how = send(waiting_.front()); how != sent::yes)
      return how;
  return sent::yes;
}

supervisor::sent supervisor::send(const std::vector<std::uint8_t>& packet) {
  const auto done = sys::send_packet(socket_.get(), packet);
  if (done)
    return sent::yes;
  return done.error().code == fault::exhausted ? sent::full : sent::no;
}

void supervisor::lose() {
  if (std::exchange(lost_, true))
    return;
  watch_.reset();
  socket_.reset();
  dirty_.clear();
  in_dirty_.clear();
  waiting_.clear();
  tell_.lost();
}

} // namespace troupe::shim
