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

/// Before another try of what nobody tells about.
constexpr std::chrono::milliseconds pause{250};

/// How long the exit of a process is held back for a log that it is to wait
/// for, and that does not take its last words. Well below what the supervisor
/// grants a killed process.
constexpr std::chrono::milliseconds log_patience{3'000};

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
                                           std::vector<sys::unique_fd> fds,
                                           listener tell) {
  std::unique_ptr<stdio> out{new stdio{in, std::move(tell)}};
  out->has_terminal_ = how.terminal;
  if (how.log.driver == log_driver::passthrough) {
    if (fds.size() != 3 || how.terminal)
      return fail(fault::invalid_config,
                  "passthrough: wants the caller's stdin, stdout and stderr, "
                  "and no terminal");
    out->child_ = {std::move(fds[0]), std::move(fds[1]), std::move(fds[2]), {}};
    return out;
  }
  out->driver_ = how.log.driver;
  TROUPE_TRY(out->log_, log_sink::open(how.log, how.key, std::move(fds)));
  out->recent_ = recent_output{how.replay};
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
  return watch_console();
}

outcome stdio::watch_console() {
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
  const auto n = ::read(
    from.pipe.get(), buffer.data(),
    std::min(buffer.size(), log_ ? log_->bite() : SIZE_MAX));
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
  // First the log: whoever has seen something can find it there.
  if (log_) {
    log_->write(from, bytes, now_ns());
    if (log_->blocked())
      wait_for_log();
  }
  // By index: a client that dies meanwhile leaves the list only later.
  for (std::size_t i = 0; i < clients_.size(); ++i)
    clients_[i]->output(to, bytes);
  recent_.add(to, bytes);
  tell_.counted();
}

// Reads the process, or not, as the slowest that it is to wait for has it.
void stdio::regulate() {
  const auto full = blocked()
                    || std::any_of(
                      clients_.begin(), clients_.end(),
                      [](const auto& each) { return each->full(); });
  for (auto& each : outputs_)
    full ? each.ready.pause() : each.ready.want(EPOLLIN);
}

void stdio::room() {
  regulate();
}

void stdio::dropped(std::size_t bytes) {
  clients_dropped_ += static_cast<std::int64_t>(bytes);
  tell_.counted();
}

// -- log ----------------------------------------------------------------------

void stdio::wait_for_log() {
  if (std::exchange(log_waits_, true))
    return;
  if (const auto fd = log_->waits_for(); fd >= 0) {
    auto watching = loop_.add(fd, EPOLLOUT,
                              [this](std::uint32_t) { retry_log(); });
    if (watching) {
      log_ready_ = *std::move(watching);
      return;
    }
  }
  loop_.after(pause, [to = std::weak_ptr<stdio*>{self_}] {
    if (const auto self = to.lock())
      (*self)->retry_log();
  });
}

void stdio::retry_log() {
  log_ready_.reset();
  log_waits_ = false;
  if (!log_)
    return;
  log_->retry();
  tell_.counted();
  if (log_->blocked())
    return wait_for_log();
  if (drained_)
    return go_on_draining();
  regulate();
}

outcome stdio::reopen_log() {
  if (!log_)
    return fail(fault::unsupported, "reopen: it has no log");
  return log_->reopen();
}

// What is in the pipe now is taken and no more: a process outside the
// container's pid namespace may hold the other end and write for ever.
//
// A terminal does not tell how much that is: not more than it can hold.
void stdio::begin_drain(output& from) {
  from.ready.reset();
  from.left = static_cast<int>(terminal_backlog);
  if (from.pipe && !has_terminal_
      && ::ioctl(from.pipe.get(), FIONREAD, &from.left) != 0)
    from.left = 0;
}

// False when the log takes no more for now.
bool stdio::drain(output& from) {
  while (from.pipe && from.left > 0) {
    if (blocked())
      return false;
    const auto buffer = loop_.scratch();
    const auto n = ::read(
      from.pipe.get(), buffer.data(),
      std::min({buffer.size(), static_cast<std::size_t>(from.left),
                log_ ? log_->bite() : SIZE_MAX}));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    deliver(from.stream, {buffer.data(), static_cast<std::size_t>(n)});
    from.left -= static_cast<int>(n);
  }
  from.pipe.reset();
  return !blocked();
}

void stdio::drain_all(std::function<void()> done) {
  child_ = {};
  take_terminal();
  for (auto& each : outputs_)
    begin_drain(each);
  draining_ = true;
  drained_ = std::move(done);
  go_on_draining();
  if (drained_)
    hurry_drain();
}

void stdio::hurry_drain() {
  loop_.after(log_patience, [to = std::weak_ptr<stdio*>{self_}] {
    const auto self = to.lock();
    if (!self || !(*self)->drained_)
      return;
    (*self)->log_->give_up();
    (*self)->go_on_draining();
  });
}

void stdio::go_on_draining() {
  for (auto& each : outputs_)
    if (!drain(each))
      return;
  if (const auto waiting = std::exchange(drained_, nullptr)) {
    draining_ = false;
    waiting();
  }
}

bool stdio::blocked() const noexcept {
  return log_ && log_->blocked();
}

void stdio::finish(const std::string& status) {
  log_ready_.reset();
  if (log_) {
    log_->finish(now_ns());
    last_counters_ = log_->counters();
    log_.reset();
  }
  accept(); // whoever has come before the end is told of it
  accepting_.reset();
  listener_.reset();
  close_input();
  tell_.counted = [] {}; // whoever is told may be gone before the clients are
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

outcome stdio::attach(sys::unique_fd socket, const client_options& what,
                      std::size_t replay) {
  TROUPE_CHECK(check_stream_socket(socket.get()));
  take_terminal();
  if (what.with_stdin && !stdin_)
    return fail(fault::invalid_config,
                "attach: stdin is wanted, but the process has none, or it is "
                "closed");
  auto fresh = std::make_unique<client>(*this, std::move(socket), what);
  TROUPE_CHECK(fresh->open(loop_));
  recent_.replay(replay, [&](frame_stream from, std::string_view bytes) {
    fresh->output(from, bytes);
  });
  add(std::move(fresh));
  return {};
}

void stdio::add(std::unique_ptr<client> fresh) {
  // Here and not in `gone`, which runs inside the client.
  std::erase_if(clients_, [](const auto& each) { return each->dead(); });
  clients_.push_back(std::move(fresh));
  tell_.counted();
}

outcome stdio::accept_at(sys::unique_fd socket) {
  listener_ = std::move(socket);
  return watch_listener();
}

outcome stdio::watch_listener() {
  TROUPE_TRY(accepting_, loop_.add(listener_.get(), EPOLLIN,
                                   [this](std::uint32_t) { accept(); }));
  return {};
}

void stdio::accept() {
  while (listener_) {
    sys::unique_fd socket{::accept4(listener_.get(), nullptr, nullptr,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!socket)
      return accept_later(errno);
    take_terminal();
    client_options what;
    what.with_stdin = static_cast<bool>(stdin_);
    what.framing = framing::packets;
    auto fresh = std::make_unique<client>(*this, std::move(socket), what);
    if (fresh->open(loop_))
      add(std::move(fresh));
  }
}

// Out of descriptors: epoll would report the connection for ever.
void stdio::accept_later(int why) {
  if (why != EMFILE && why != ENFILE)
    return;
  accepting_.pause();
  loop_.after(pause, [to = std::weak_ptr<stdio*>{self_}] {
    if (const auto self = to.lock())
      (*self)->accepting_.want(EPOLLIN);
  });
}

attach_counters stdio::attached() const noexcept {
  const auto alive = std::ranges::count_if(
    clients_, [](const auto& each) { return !each->dead(); });
  return {static_cast<std::uint32_t>(alive), clients_dropped_};
}

bool stdio::has_clients() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& each) { return !each->dead(); });
}

// -- another program ----------------------------------------------------------

// The ends that are the child's are closed by the time that anything else can
// happen, and work that is queued in the loop begins anew in `resume`.
template <class Way>
void stdio::hand_over(Way& with) {
  with(console_, has_terminal_, outputs_[0], outputs_[1], stdin_, stdin_kept_,
       stdin_ending_, draining_, last_counters_, recent_, listener_,
       clients_dropped_);
  hand_over_log(with);
  hand_over_clients(with);
}

template <class Way>
void stdio::hand_over_log(Way& with) {
  auto has_log = log_ != nullptr;
  with(driver_, has_log);
  if (!Way::saving && has_log)
    log_ = log_sink::empty(driver_);
  if (log_)
    log_->hand_over(with);
}

template <class Way>
void stdio::hand_over_clients(Way& with) {
  std::erase_if(clients_, [](const auto& each) { return each->dead(); });
  auto count = clients_.size();
  with(count);
  if constexpr (Way::saving)
    for (const auto& each : clients_)
      each->hand_over(with);
  else
    for (; count > 0 && with.ok(); --count)
      clients_.emplace_back(std::make_unique<client>(*this))->hand_over(with);
}

template void stdio::hand_over(saver& with);

std::unique_ptr<stdio> stdio::taken_over(loop& in, loader& from,
                                         listener tell) {
  std::unique_ptr<stdio> out{new stdio{in, std::move(tell)}};
  out->hand_over(from);
  return out;
}

// Nothing is read or written here: this may be a rehearsal.
outcome stdio::resume(std::function<void()> done) {
  if (console_)
    TROUPE_CHECK(watch_console());
  for (auto& each : outputs_)
    if (each.pipe && !draining_)
      TROUPE_CHECK(watch_output(each));
  if (stdin_) {
    TROUPE_CHECK(watch_input());
    if (!stdin_kept_.empty() || stdin_ending_)
      stdin_ready_.want(EPOLLOUT);
  }
  if (listener_)
    TROUPE_CHECK(watch_listener());
  for (const auto& each : clients_)
    TROUPE_CHECK(each->open(loop_));
  if (blocked())
    wait_for_log();
  regulate();
  if (draining_) {
    drained_ = std::move(done);
    hurry_drain();
    loop_.later([to = std::weak_ptr<stdio*>{self_}] {
      if (const auto self = to.lock())
        (*self)->go_on_draining();
    });
  }
  return {};
}

void stdio::gone(client&) {
  regulate();
  tell_.counted();
  tell_.clients_gone();
}

} // namespace troupe::shim
