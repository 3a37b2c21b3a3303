#include "runtime/shim/client.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace troupe::shim {

namespace {

constexpr auto send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;

/// How much of the head of the buffer may be dead before it is cut off.
constexpr std::size_t cut_size = 256U << 10U;

bool would_block(int error) {
  return error == EAGAIN || error == EINTR;
}

std::string_view text_of(const frame_header& header) {
  return {reinterpret_cast<const char*>(header.data()), header.size()};
}

} // namespace

client::client(client_owner& owner, sys::unique_fd socket,
               const client_options& what) noexcept
  : owner_(owner), socket_(std::move(socket)), what_(what) {
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
    if (what_.with_stdin && !hung_up)
      owner_.end_of_input();
    return;
  }
  if (!parse_input({buffer.data(), static_cast<std::size_t>(n)}))
    die();
}

// False at what is not a stdin frame of legal length.
bool client::parse_input(std::string_view bytes) {
  if (what_.raw) {
    if (what_.with_stdin)
      owner_.input(bytes);
    return true;
  }
  while (!bytes.empty()) {
    if (header_have_ < header_.size()) {
      take_header(bytes);
      if (header_have_ < header_.size())
        return true;
      body_left_ = length_of(header_);
      if (header_[0] != static_cast<std::uint8_t>(frame_stream::in)
          || body_left_ > max_frame)
        return false;
    }
    const auto body = bytes.substr(0, body_left_);
    if (what_.with_stdin && !body.empty())
      owner_.input(body);
    bytes.remove_prefix(body.size());
    body_left_ -= static_cast<std::uint32_t>(body.size());
    if (body_left_ == 0)
      header_have_ = 0;
  }
  return true;
}

void client::take_header(std::string_view& bytes) {
  const auto n = std::min(bytes.size(), header_.size() - header_have_);
  std::copy_n(bytes.begin(), n, header_.begin() + header_have_);
  header_have_ += n;
  bytes.remove_prefix(n);
}

void client::output(frame_stream stream, std::string_view body) {
  if (what_.with_output)
    send(stream, body);
}

void client::send(frame_stream stream, std::string_view body) {
  if (dead_ || !output_open_)
    return;
  const auto framed = make_header(stream,
                                  static_cast<std::uint32_t>(body.size()));
  const auto header = what_.raw ? std::string_view{} : text_of(framed);
  std::size_t done = 0;
  if (kept_.empty()) {
    iovec parts[] = {{const_cast<char*>(header.data()), header.size()},
                     {const_cast<char*>(body.data()), body.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const auto n = ::sendmsg(socket_.get(), &message, send_flags);
    if (n < 0 && !would_block(errno))
      return die();
    done = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  const auto of_header = std::min(done, header.size());
  kept_.append(header.substr(of_header));
  kept_.append(body.substr(done - of_header));
  update_interest();
}

void client::drop_kept() noexcept {
  std::string{}.swap(kept_); // gives the memory back
  sent_ = 0;
}

void client::finish(std::string_view status) {
  if (!what_.raw)
    send(frame_stream::status, status);
  finishing_ = true;
  if (!dead_ && kept_.empty())
    die();
}

void client::send_kept() {
  const auto was_full = full();
  const auto n = ::send(socket_.get(), kept_.data() + sent_,
                        kept_.size() - sent_, send_flags);
  if (n < 0 && !would_block(errno))
    return die();
  sent_ += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  if (sent_ == kept_.size()) {
    drop_kept();
  } else if (sent_ >= cut_size) {
    kept_.erase(0, sent_);
    sent_ = 0;
  }
  if (finishing_ && kept_.empty())
    return die();
  if (was_full && !full())
    owner_.room();
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
