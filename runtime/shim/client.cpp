#include "runtime/shim/client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace troupe::shim {

namespace {

constexpr auto send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

/// How much of the head of the buffer may be dead before it is cut off.
constexpr std::size_t cut_size = 256U << 10U;

/// Of a kept packet.
using packet_length = std::uint32_t;

bool would_block(int error) {
  return error == EAGAIN || error == EINTR;
}

} // namespace

client::client(client_owner& owner, sys::unique_fd socket,
               const client_options& what)
  : owner_(owner),
    socket_(std::move(socket)),
    what_(what),
    codec_(client_codec::of(what.framing)) {
}

outcome client::open(loop& in) {
  loop_ = &in;
  TROUPE_TRY(watch_, in.add(socket_.get(), EPOLLIN,
                            [this](std::uint32_t events) { ready(events); }));
  update_interest();
  return {};
}

void client::ready(std::uint32_t events) {
  if (events & EPOLLERR)
    return die();
  if (events & EPOLLHUP)
    close_output();
  if (events & EPOLLOUT && output_open_)
    send_kept();
  if (!dead_ && input_open_ && events & (EPOLLIN | EPOLLHUP))
    read_input(events & EPOLLHUP);
  if (dead_)
    return;
  if (!output_open_ && (!input_open_ || finishing_))
    return die();
  update_interest();
}

// Whoever hung up reads no more, but what it wrote before is still stdin.
void client::close_output() {
  if (!std::exchange(output_open_, false))
    return;
  drop_kept();
  owner_.room();
}

void client::read_input(bool hung_up) {
  if (what_.with_stdin && !owner_.takes_input())
    return;
  const auto buffer = loop_->scratch();
  const auto n = ::recv(socket_.get(), buffer.data(), buffer.size(),
                        MSG_DONTWAIT);
  if (n < 0) {
    if (!would_block(errno))
      die();
    return;
  }
  if (n == 0) {
    input_open_ = false;
    if (!hung_up)
      end_of_input();
    return;
  }
  if (!codec_->take({buffer.data(), static_cast<std::size_t>(n)}, *this))
    die();
}

void client::input(std::string_view bytes) {
  if (what_.with_stdin)
    owner_.input(bytes);
}

void client::end_of_input() {
  if (what_.with_stdin)
    owner_.end_of_input();
}

// Whoever asks and does not read is no client.
void client::reply(std::string_view bytes) {
  if (waiting() >= buffer_size)
    return die();
  send_bytes(bytes, {});
}

// -- output -------------------------------------------------------------------

void client::output(frame_stream stream, std::string_view body) {
  if (!what_.with_output || dead_ || !output_open_ || drops(body.size()))
    return;
  tell_gap();
  while (!body.empty()) {
    const auto piece = body.substr(0, codec_->longest());
    send(stream, piece);
    body.remove_prefix(piece.size());
  }
}

// Only whole pieces are dropped, and then until half of what waits is gone:
// few long gaps say more than many short ones.
bool client::drops(std::size_t bytes) {
  if (what_.when_full == overflow::block)
    return false;
  if (waiting() >= buffer_size)
    dropping_ = true;
  else if (waiting() <= buffer_size / 2)
    dropping_ = false;
  if (!dropping_)
    return false;
  gap_ += bytes;
  owner_.dropped(bytes);
  return true;
}

void client::tell_gap() {
  const auto gap = std::exchange(gap_, 0);
  if (gap > 0 && codec_->has_marks())
    send(frame_stream::dropped, "{\"bytes\":" + std::to_string(gap) + "}");
}

void client::send(frame_stream stream, std::string_view body) {
  send_bytes(codec_->head_of(stream, body.size()).text(), body);
}

void client::send_bytes(std::string_view head, std::string_view body) {
  if (dead_ || !output_open_)
    return;
  std::size_t done = 0;
  if (kept_.empty()) {
    iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                     {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const auto n = ::sendmsg(socket_.get(), &message, send_flags);
    if (n < 0 && !would_block(errno))
      return die();
    done = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  if (done < head.size() + body.size())
    keep(head, body, done);
  update_interest();
}

// A packet is sent whole, or not at all.
void client::keep(std::string_view head, std::string_view body,
                  std::size_t sent) {
  if (what_.framing == framing::packets) {
    const auto length = static_cast<packet_length>(head.size() + body.size());
    kept_.append(reinterpret_cast<const char*>(&length), sizeof length);
  }
  const auto of_head = std::min(sent, head.size());
  kept_.append(head.substr(of_head));
  kept_.append(body.substr(sent - of_head));
}

void client::drop_kept() noexcept {
  std::string{}.swap(kept_); // gives the memory back
  sent_ = 0;
}

void client::finish(std::string_view status) {
  if (codec_->has_marks()) {
    tell_gap();
    send(frame_stream::status, status);
    if (!codec_->ending().empty())
      send_bytes(codec_->ending(), {});
  }
  finishing_ = true;
  if (!dead_ && kept_.empty())
    die();
}

void client::send_kept() {
  const auto was_full = full();
  if (what_.framing == framing::packets) {
    while (!dead_ && !kept_.empty() && send_kept_packet())
      continue;
  } else {
    const auto n = ::send(socket_.get(), kept_.data() + sent_, waiting(),
                          send_flags);
    if (n < 0 && !would_block(errno))
      return die();
    take_sent(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  if (dead_)
    return;
  if (finishing_ && kept_.empty())
    return die();
  if (was_full && !full())
    owner_.room();
}

bool client::send_kept_packet() {
  packet_length length = 0;
  std::memcpy(&length, kept_.data() + sent_, sizeof length);
  const auto* packet = kept_.data() + sent_ + sizeof length;
  if (::send(socket_.get(), packet, length, send_flags) < 0) {
    if (!would_block(errno))
      die();
    return false;
  }
  take_sent(sizeof length + length);
  return true;
}

void client::take_sent(std::size_t n) {
  sent_ += n;
  if (sent_ == kept_.size()) {
    drop_kept();
  } else if (sent_ >= cut_size) {
    kept_.erase(0, sent_);
    sent_ = 0;
  }
}

void client::resume_input() {
  if (!dead_)
    update_interest();
}

// A hang-up is reported for as long as it is watched for: whoever has one and
// waits for room in stdin must not watch.
void client::update_interest() {
  if (dead_)
    return;
  const auto reads = input_open_ && (!what_.with_stdin || owner_.takes_input());
  if (!output_open_ && !reads)
    return watch_.pause();
  watch_.want((reads ? EPOLLIN : 0U)
              | (output_open_ && !kept_.empty() ? EPOLLOUT : 0U));
}

void client::die() {
  if (dead_)
    return;
  dead_ = true;
  watch_.reset();
  socket_.reset();
  drop_kept();
  owner_.gone(*this);
}

} // namespace troupe::shim
