#include "tests/support/command.hpp"

#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace troupe::test {

namespace {

using clock = std::chrono::steady_clock;

std::pair<sys::unique_fd, sys::unique_fd> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    std::abort();
  return {sys::unique_fd{ends[0]}, sys::unique_fd{ends[1]}};
}

int milliseconds_until(clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
    end - clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

/// Forks and executes; the child gets `in`, `out` and `err` as 0, 1 and 2.
int spawn(const std::vector<std::string>& argv,
          const std::vector<std::string>& env, int in, int out, int err) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const auto child = ::fork();
  if (child != 0)
    return child;
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  for (const auto& each : env)
    ::putenv(const_cast<char*>(each.c_str()));
  ::execvp(words.front(), words.data());
  ::_exit(127);
}

/// Reads what is there; false at the end.
bool drain(int fd, std::string& into) {
  std::array<char, 1U << 16U> data{};
  const auto size = ::read(fd, data.data(), data.size());
  if (size > 0)
    into.append(data.data(), static_cast<std::size_t>(size));
  return size > 0 || (size < 0 && errno == EINTR);
}

void feed(sys::unique_fd& to, std::string& input) {
  const auto size = ::write(to.get(), input.data(), input.size());
  if (size > 0)
    input.erase(0, static_cast<std::size_t>(size));
  if (input.empty() || (size < 0 && errno != EAGAIN && errno != EINTR))
    to.reset();
}

} // namespace

command_result run(const std::vector<std::string>& argv,
                   const command_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto [in_read, in_write] = make_pipe();
  auto [out_read, out_write] = make_pipe();
  auto [err_read, err_write] = make_pipe();
  const auto pid = spawn(argv, options.env, in_read.get(), out_write.get(),
                         err_write.get());
  in_read.reset();
  out_write.reset();
  err_write.reset();
  auto pidfd = sys::open_pidfd(pid);
  if (!pidfd)
    std::abort();
  ::fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  auto input = options.input;
  if (input.empty())
    in_write.reset();
  command_result result;
  const auto end = clock::now() + options.deadline;
  while (out_read || err_read) {
    std::array<pollfd, 3> fds{pollfd{out_read.get(), POLLIN, 0},
                              pollfd{err_read.get(), POLLIN, 0},
                              pollfd{in_write.get(), POLLOUT, 0}};
    if (::poll(fds.data(), fds.size(), milliseconds_until(end)) == 0) {
      result.timed_out = true;
      static_cast<void>(sys::send_signal(pidfd->get(), SIGKILL));
      break;
    }
    if (fds[0].revents != 0 && !drain(out_read.get(), result.out))
      out_read.reset();
    if (fds[1].revents != 0 && !drain(err_read.get(), result.err))
      err_read.reset();
    if (fds[2].revents != 0)
      feed(in_write, input);
  }
  if (const auto ended = sys::wait_for_exit(pidfd->get()); ended)
    result.exit_code = ended->shell_code();
  return result;
}

background::background(const std::vector<std::string>& argv,
                       const std::vector<std::string>& env) {
  auto [read_end, write_end] = make_pipe();
  const sys::unique_fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const auto pid = spawn(argv, env, null.get(), write_end.get(),
                         write_end.get());
  write_end.reset();
  pipe_ = std::move(read_end);
  pidfd_ = sys::open_pidfd(pid).value();
  reader_ = std::thread{[this] { read_output(); }};
}

background::~background() {
  if (exit_code_ < 0) {
    signal(SIGKILL);
    static_cast<void>(wait());
  }
  reader_.join();
}

void background::read_output() {
  std::string piece;
  while (drain(pipe_.get(), piece)) {
    const std::lock_guard lock{guard_};
    output_ += std::exchange(piece, {});
    changed_.notify_all();
  }
  const std::lock_guard lock{guard_};
  output_ended_ = true;
  changed_.notify_all();
}

bool background::wait_for_output(const std::string& text,
                                 std::chrono::milliseconds deadline) {
  std::unique_lock lock{guard_};
  const auto found = [&] { return output_.find(text) != std::string::npos; };
  changed_.wait_for(lock, deadline, [&] { return found() || output_ended_; });
  return found();
}

void background::signal(int signo) const {
  static_cast<void>(sys::send_signal(pidfd_.get(), signo));
}

int background::wait(std::chrono::milliseconds deadline) {
  if (exit_code_ >= 0)
    return exit_code_;
  pollfd fd{pidfd_.get(), POLLIN, 0};
  if (::poll(&fd, 1, static_cast<int>(deadline.count())) != 1)
    return -1;
  if (const auto ended = sys::wait_for_exit(pidfd_.get()); ended)
    exit_code_ = ended->shell_code();
  std::unique_lock lock{guard_};
  changed_.wait_for(lock, deadline, [this] { return output_ended_; });
  return exit_code_;
}

std::string background::output() const {
  const std::lock_guard lock{guard_};
  return output_;
}

} // namespace troupe::test
