#include "runtime/linux/pidfd.hpp"

#include "runtime/linux/readable.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

// waitid(2) with WNOHANG succeeds and leaves si_pid 0 when nothing has ended.
result<std::optional<exit_status>> wait_child(int pidfd, int options) {
  siginfo_t info{};
  auto status = 0;
  do {
    status = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                      WEXITED | __WALL | options);
  } while (status != 0 && errno == EINTR);
  if (status != 0)
    return fail_os(errno, "waitid", "pidfd " + std::to_string(pidfd));
  if (info.si_pid == 0)
    return std::optional<exit_status>{};
  if (info.si_code == CLD_EXITED)
    return exit_status{.code = info.si_status};
  return exit_status{.signal = info.si_status,
                     .core_dumped = info.si_code == CLD_DUMPED};
}

// linux/pidfd.h as of 6.15: Debian 12's is older.
struct pidfd_info {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::array<std::uint32_t, 11> ids{};
  std::int32_t exit_code = 0; ///< As wait(2) has it.
};
constexpr std::uint64_t pidfd_info_exit = 1U << 3U;
constexpr auto pidfd_get_info = _IOWR(0xFF, 11, pidfd_info);
static_assert(sizeof(pidfd_info) == 64, "PIDFD_INFO_SIZE_VER0");

/// Whether POLLHUP comes, which it does whatever is asked for.
bool is_reaped(int pidfd, std::chrono::milliseconds patience) noexcept {
  pollfd what{pidfd, 0, 0};
  return TEMP_FAILURE_RETRY(
           ::poll(&what, 1, static_cast<int>(patience.count())))
         > 0;
}

} // namespace

result<unique_fd> open_pidfd(pid_t pid) {
  // pidfd_open(2): close-on-exec by itself.
  unique_fd fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))};
  if (!fd)
    return fail_os(errno, "pidfd_open", "pid " + std::to_string(pid));
  return fd;
}

result<unique_fd> borrow_fd(int pidfd, int fd) {
  // Close-on-exec by itself.
  unique_fd out{static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, fd, 0U))};
  if (!out)
    return fail_os(errno, "pidfd_getfd", "descriptor " + std::to_string(fd));
  return out;
}

outcome send_signal(int pidfd, int signo) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signo, nullptr, 0U) != 0)
    return fail_os(errno, "pidfd_send_signal",
                   "signal " + std::to_string(signo));
  return {};
}

result<std::optional<exit_status>> reap(int pidfd) {
  return wait_child(pidfd, WNOHANG);
}

result<exit_status> wait_for_exit(int pidfd) {
  TROUPE_TRY(const auto ended, wait_child(pidfd, 0));
  return *ended;
}

bool has_ended(int pidfd) noexcept {
  const auto ended = wait_readable(pidfd, {});
  return ended && *ended;
}

std::optional<exit_status> end_of(int pidfd,
                                  std::chrono::milliseconds patience) noexcept {
  if (!is_reaped(pidfd, patience))
    return std::nullopt;
  pidfd_info info{.mask = pidfd_info_exit};
  if (::ioctl(pidfd, pidfd_get_info, &info) != 0
      || (info.mask & pidfd_info_exit) == 0)
    return std::nullopt;
  if (WIFSIGNALED(info.exit_code))
    return exit_status{.signal = WTERMSIG(info.exit_code),
                       .core_dumped = WCOREDUMP(info.exit_code) != 0};
  return exit_status{.code = WEXITSTATUS(info.exit_code)};
}

} // namespace troupe::sys
