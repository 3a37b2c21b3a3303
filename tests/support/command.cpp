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
  pid_ = spawn(argv, env, null.get(), write_end.get(), write_end.get());
  pipe_ = read_end.release();
  if (auto pidfd = sys::open_pidfd(pid_); pidfd)
    pidfd_ = pidfd->release();
}

background::~background() {
  if (exit_code_ < 0) {
    signal(SIGKILL);
    static_cast<void>(wait());
  }
  ::close(pidfd_);
  ::close(pipe_);
}

bool background::read_some(std::chrono::milliseconds patience) {
  pollfd fd{pipe_, POLLIN, 0};
  if (::poll(&fd, 1, static_cast<int>(patience.count())) <= 0)
    return false;
  return drain(pipe_, output_);
}

bool background::wait_for_output(const std::string& text,
                                 std::chrono::milliseconds deadline) {
  const auto end = clock::now() + deadline;
  while (output_.find(text) == std::string::npos)
    if (!read_some(std::chrono::milliseconds{milliseconds_until(end)}))
      return output_.find(text) != std::string::npos;
  return true;
}

void background::signal(int signo) {
  static_cast<void>(sys::send_signal(pidfd_, signo));
}

int background::wait(std::chrono::milliseconds deadline) {
  const auto end = clock::now() + deadline;
  while (exit_code_ < 0) {
    std::array<pollfd, 2> fds{pollfd{pidfd_, POLLIN, 0},
                              pollfd{pipe_, POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), milliseconds_until(end)) == 0)
      return -1;
    if (fds[1].revents != 0 && !drain(pipe_, output_))
      fds[1].fd = -1;
    if (fds[0].revents == 0)
      continue;
    if (const auto ended = sys::wait_for_exit(pidfd_); ended)
      exit_code_ = ended->shell_code();
    while (read_some(std::chrono::milliseconds{0})) {
    }
  }
  return exit_code_;
}

} // namespace troupe::test
