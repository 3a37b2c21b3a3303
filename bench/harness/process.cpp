#include "bench/harness/process.hpp"

#include "bench/harness/clock.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace troupe::bench {

namespace {

std::vector<char*> c_pointers(std::vector<std::string>& from) {
  std::vector<char*> out;
  out.reserve(from.size() + 1);
  for (auto& each : from)
    out.push_back(each.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment(const std::vector<std::string>& more) {
  auto out = more; // the first of a name is the one that counts
  for (auto** each = ::environ; *each != nullptr; ++each)
    out.emplace_back(*each);
  return out;
}

/// What posix_spawn(3) does to the child beside execve.
class attributes {
public:
  explicit attributes(const command& what) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&flags_);
    ::posix_spawnattr_setflags(&flags_,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&flags_, &defaults);
    const std::array fds{what.stdin_fd, what.stdout_fd, what.stderr_fd};
    for (auto i = 0; i < 3; ++i)
      if (const auto fd = fds[static_cast<std::size_t>(i)]; fd >= 0)
        ::posix_spawn_file_actions_adddup2(&files_, fd, i);
      else
        ::posix_spawn_file_actions_addopen(&files_, i, "/dev/null",
                                           i == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  ~attributes() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&flags_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* files() const {
    return &files_;
  }
  [[nodiscard]] const posix_spawnattr_t* flags() const {
    return &flags_;
  }

private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t flags_{};
};

std::string read_from_start(int fd) {
  std::string out;
  std::array<char, 4096> chunk{};
  for (auto at = off_t{0};;) {
    const auto got = ::pread(fd, chunk.data(), chunk.size(), at);
    if (got <= 0)
      return out;
    out.append(chunk.data(), static_cast<std::size_t>(got));
    at += got;
  }
}

std::string last_line(std::string text) {
  while (text.ends_with('\n'))
    text.pop_back();
  const auto end = text.rfind('\n');
  return end == std::string::npos ? text : text.substr(end + 1);
}

} // namespace

child& child::operator=(child&& other) noexcept {
  if (this != &other) {
    end(SIGKILL, -1);
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

child::~child() {
  end(SIGKILL, -1);
}

result<int> child::wait() {
  TROUPE_TRY(const auto ended, sys::wait_for_exit(pidfd_.get()));
  pidfd_.reset();
  return ended.shell_code();
}

void child::end(int signo, int patience_ms) {
  if (!pidfd_)
    return;
  (void)sys::send_signal(pidfd_.get(), signo);
  pollfd dead{pidfd_.get(), POLLIN, 0};
  if (::poll(&dead, 1, patience_ms) != 1)
    (void)sys::send_signal(pidfd_.get(), SIGKILL);
  (void)wait();
}

result<child> spawn(const command& what) {
  auto argv = what.argv;
  auto env = environment(what.env);
  const attributes how{what};
  const auto args = c_pointers(argv);
  const auto envp = c_pointers(env);
  pid_t pid = 0;
  if (const auto why = ::posix_spawnp(&pid, argv.front().c_str(), how.files(),
                                      how.flags(), args.data(), envp.data());
      why != 0)
    return fail_os(why, "run", argv.front());
  TROUPE_TRY(auto pidfd, sys::open_pidfd(pid));
  return child{pid, std::move(pidfd)};
}

runner::runner() : stderr_(::memfd_create("stderr", MFD_CLOEXEC)) {
}

failure runner::failed(const command& what, int code) const {
  return {fault::os, 0,
          std::filesystem::path{what.argv.front()}.filename().string()
            + ": exit code " + std::to_string(code) + ": "
            + last_line(read_from_start(stderr_.get()))};
}

result<double> runner::time(command what) {
  (void)::ftruncate(stderr_.get(), 0);
  ::lseek(stderr_.get(), 0, SEEK_SET);
  if (what.stderr_fd < 0)
    what.stderr_fd = stderr_.get();
  const auto began = now_ns();
  TROUPE_TRY(auto process, spawn(what));
  TROUPE_TRY(const auto code, process.wait());
  const auto took = ms_since(began);
  if (code != 0)
    return fail(failed(what, code));
  return took;
}

result<std::vector<double>> runner::time_all(std::vector<command> all) {
  (void)::ftruncate(stderr_.get(), 0);
  ::lseek(stderr_.get(), 0, SEEK_SET);
  const sys::unique_fd poller{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<child> running;
  std::vector<double> out(all.size());
  running.reserve(all.size());
  const auto began = now_ns();
  for (auto& each : all) {
    each.stderr_fd = stderr_.get();
    TROUPE_TRY(auto process, spawn(each));
    // One notice each: the copy of a descriptor that a later child has until
    // its execve is complete keeps a closed one in the poller.
    epoll_event event{EPOLLIN | EPOLLONESHOT, {}};
    event.data.u64 = running.size();
    ::epoll_ctl(poller.get(), EPOLL_CTL_ADD, process.pidfd(), &event);
    running.push_back(std::move(process));
  }
  for (auto left = running.size(); left > 0; --left) {
    epoll_event event{};
    while (::epoll_wait(poller.get(), &event, 1, -1) < 0)
      if (errno != EINTR)
        return fail_os(errno, "epoll_wait", "");
    const auto i = static_cast<std::size_t>(event.data.u64);
    TROUPE_TRY(const auto code, running[i].wait());
    out[i] = ms_since(began);
    if (code != 0)
      return fail(failed(all[i], code));
  }
  return out;
}

result<std::string> runner::output_of(command what) {
  const sys::unique_fd file{::memfd_create("stdout", MFD_CLOEXEC)};
  what.stdout_fd = file.get();
  TROUPE_TRY([[maybe_unused]] const auto took, time(std::move(what)));
  return read_from_start(file.get());
}

bool wait_for_end(pid_t pid, int patience_ms) {
  const auto pidfd = sys::open_pidfd(pid);
  if (!pidfd)
    return true;
  pollfd dead{pidfd->get(), POLLIN, 0};
  return ::poll(&dead, 1, patience_ms) == 1;
}

} // namespace troupe::bench
