#include "runtime/shim/stdio.hpp"

#include "runtime/linux/pty.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace troupe::shim {

namespace {

/// More than the kernel keeps of what was written to a terminal and not read
/// yet: TTYB_DEFAULT_MEM_LIMIT, and what its line discipline holds.
constexpr std::size_t terminal_backlog = 256U << 10U;

struct pipe_ends {
  sys::unique_fd read;
  sys::unique_fd write;
};

// Only our end is non-blocking: the two are open file descriptions of their
// own, pipe(2).
result<pipe_ends> open_pipe(bool we_read) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  pipe_ends out{sys::unique_fd{ends[0]}, sys::unique_fd{ends[1]}};
  if (::fcntl(ends[we_read ? 0 : 1], F_SETFL, O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", "pipe");
  return out;
}

outcome check_stream_socket(int fd) {
  auto type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    return fail_os(errno, "getsockopt SO_TYPE", "attached descriptor");
  if (type != SOCK_STREAM)
    return fail(fault::invalid_config, "attach: not a stream socket");
  return {};
}

} // namespace

stdio::stdio(loop& in, listener tell) noexcept
  : loop_(in), tell_(std::move(tell)) {
}

result<std::unique_ptr<stdio>> stdio::open(loop& in, const launch& how,
                                           listener tell) {
  std::unique_ptr<stdio> out{new stdio{in, std::move(tell)}};
  if (!how.log.path.empty()) {
    TROUPE_TRY(out->log_, log_writer::open(how.log));
  }
  out->has_terminal_ = how.terminal;
  if (how.terminal) {
    TROUPE_CHECK(out->open_console());
    return out;
  }
  TROUPE_CHECK(out->open_outputs());
  if (how.open_stdin)
    TROUPE_CHECK(out->open_input());
  return out;
}

outcome stdio::open_outputs() {
  outputs_[0].stream = log::stream::out;
  outputs_[1].stream = log::stream::err;
  for (auto& each : outputs_) {
    TROUPE_TRY(auto ends, open_pipe(true));
    each.pipe = std::move(ends.read);
    TROUPE_CHECK(watch_output(each));
    (each.stream == log::stream::out ? child_.out : child_.err) = std::move(
      ends.write);
  }
  return {};
}

outcome stdio::open_input() {
  TROUPE_TRY(auto ends, open_pipe(false));
  child_.in = std::move(ends.read);
  stdin_ = std::move(ends.write);
  return watch_input();
}

outcome stdio::watch_output(output& from) {
  TROUPE_TRY(from.ready,
             loop_.add(from.pipe.get(), EPOLLIN,
                       [this, &from](std::uint32_t) { read_output(from); }));
  return {};
}

outcome stdio::watch_input() {
  TROUPE_TRY(stdin_ready_, loop_.add(stdin_.get(), 0,
                                     [this](std::uint32_t) { write_input(); }));
  stdin_ready_.pause();
  return {};
}

// -- terminal -----------------------------------------------------------------

outcome stdio::open_console() {
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  if (::fcntl(line.first.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", "console line");
  console_ = std::move(line.first);
  child_.console = std::move(line.second);
  TROUPE_TRY(console_ready_,
             loop_.add(console_.get(), EPOLLIN,
                       [this](std::uint32_t) { take_terminal(); }));
  return {};
}

void stdio::take_terminal() {
  if (!console_)
    return;
  auto got = sys::receive_packet(console_.get());
  if (!got && got.error().code == fault::exhausted)
    return;
  console_ready_.reset();
  console_.reset();
  // What cannot be watched is as if it had hung up: its process hears of it.
  if (got && got->fds.size() == 1)
    (void)use_terminal(std::move(got->fds.front()));
}

// Two descriptors, because each has a watch of its own.
outcome stdio::use_terminal(sys::unique_fd master) {
  if (::fcntl(master.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", "terminal");
  stdin_.reset(::fcntl(master.get(), F_DUPFD_CLOEXEC, 0));
  if (!stdin_)
    return fail_os(errno, "dup", "terminal");
  outputs_[0].stream = log::stream::out;
  outputs_[0].pipe = std::move(master);
  TROUPE_CHECK(watch_input());
  return watch_output(outputs_[0]);
}

outcome stdio::resize(std::uint16_t rows, std::uint16_t cols) {
  take_terminal();
  if (!has_terminal_)
    return fail(fault::wrong_state, "resize: it has no terminal");
  if (!outputs_[0].pipe)
    return fail(fault::wrong_state, "resize: its terminal is closed");
  return sys::set_window_size(outputs_[0].pipe.get(), rows, cols);
}

// -- output -------------------------------------------------------------------

void stdio::read_output(output& from) {
  const auto buffer = loop_.scratch();
  const auto n = ::read(from.pipe.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    from.ready.reset();
    return from.pipe.reset();
  }
  deliver(from.stream, {buffer.data(), static_cast<std::size_t>(n)});
  regulate();
}

void stdio::deliver(log::stream from, std::string_view bytes) {
  const auto to = from == log::stream::out ? frame_stream::out
                                           : frame_stream::err;
  // By index: a client that dies meanwhile leaves the list only later.
  for (std::size_t i = 0; i < clients_.size(); ++i)
    clients_[i]->output(to, bytes);
  if (!log_)
    return;
  log_->write(from, bytes, now_ns());
  const auto before = std::exchange(counters_, log_->counters());
  if (before.bytes_dropped != counters_.bytes_dropped
      || before.last_errno != counters_.last_errno)
    tell_.log_failed();
}

// Reads the process, or not, as the slowest client has it.
void stdio::regulate() {
  const auto full = std::any_of(clients_.begin(), clients_.end(),
                                [](const auto& each) { return each->full(); });
  for (auto& each : outputs_)
    full ? each.ready.pause() : each.ready.want(EPOLLIN);
}

void stdio::room() {
  regulate();
}

// Takes what is in the pipe now and no more: a process outside the container's
// pid namespace may hold the other end and write for ever.
//
// A terminal does not tell how much that is: not more than it can hold.
void stdio::drain(output& from) {
  if (!from.pipe)
    return;
  auto left = static_cast<int>(terminal_backlog);
  if (!has_terminal_ && ::ioctl(from.pipe.get(), FIONREAD, &left) != 0)
    left = 0;
  const auto buffer = loop_.scratch();
  while (left > 0) {
    const auto n = ::read(
      from.pipe.get(), buffer.data(),
      std::min(buffer.size(), static_cast<std::size_t>(left)));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    deliver(from.stream, {buffer.data(), static_cast<std::size_t>(n)});
    left -= static_cast<int>(n);
  }
  from.ready.reset();
  from.pipe.reset();
}

void stdio::finish(const std::string& status) {
  child_ = {};
  take_terminal();
  for (auto& each : outputs_)
    drain(each);
  if (log_) {
    log_->finish(now_ns());
    counters_ = log_->counters();
    log_.reset();
  }
  close_input();
  for (std::size_t i = 0; i < clients_.size(); ++i)
    clients_[i]->finish(status);
}

// -- input --------------------------------------------------------------------

void stdio::input(std::string_view bytes) {
  if (!stdin_)
    return;
  stdin_kept_.append(bytes);
  write_input();
}

// A terminal stays open when one of those at it leaves.
void stdio::end_of_input() {
  if (has_terminal_)
    return;
  stdin_ending_ = true;
  write_input();
}

bool stdio::takes_input() const {
  return stdin_kept_.empty();
}

void stdio::write_input() {
  if (!stdin_)
    return;
  if (!stdin_kept_.empty()) {
    const auto n = ::write(stdin_.get(), stdin_kept_.data(),
                           stdin_kept_.size());
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return close_input(); // EPIPE: the process has closed its stdin
    stdin_kept_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  if (!stdin_kept_.empty())
    return stdin_ready_.want(EPOLLOUT);
  stdin_ready_.pause();
  if (stdin_ending_)
    return close_input();
  resume_clients();
}

void stdio::close_input() {
  stdin_ready_.reset();
  stdin_.reset();
  std::string{}.swap(stdin_kept_);
  resume_clients();
}

void stdio::resume_clients() {
  for (std::size_t i = 0; i < clients_.size(); ++i)
    clients_[i]->resume_input();
}

// -- clients ------------------------------------------------------------------

outcome stdio::attach(sys::unique_fd socket, const client_options& what) {
  TROUPE_CHECK(check_stream_socket(socket.get()));
  take_terminal();
  if (what.with_stdin && !stdin_)
    return fail(fault::invalid_config,
                "attach: stdin is wanted, but the process has none, or it is "
                "closed");
  auto added = std::make_unique<client>(*this, std::move(socket), what);
  TROUPE_CHECK(added->open(loop_));
  // Here and not in `gone`, which runs inside the client.
  std::erase_if(clients_, [](const auto& each) { return each->dead(); });
  clients_.push_back(std::move(added));
  return {};
}

bool stdio::has_clients() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return !each->dead(); });
}

void stdio::gone(client&) {
  regulate();
  tell_.clients_gone();
}

} // namespace troupe::shim
