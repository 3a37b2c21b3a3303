#include "runtime/shim/own_process.hpp"

#include "runtime/linux/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::shim {

namespace {

constexpr auto oom_file = "/proc/self/oom_score_adj";

/// Log files and the like, made with mode 0640 and 0600, stay as they are.
constexpr mode_t own_umask = 0027;
/// What a container's process starts with unless its plan says otherwise.
constexpr mode_t child_umask = 0022;

/// Faults of our own must still end us; SIGCHLD is read from a signalfd.
constexpr std::array kept_signals{SIGSEGV, SIGBUS, SIGILL,  SIGFPE,  SIGTRAP,
                                  SIGABRT, SIGSYS, SIGCHLD, SIGKILL, SIGSTOP};

// sigaction(2) refuses what cannot be changed; that is not our concern.
void ignore_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  for (auto signo = 1; signo <= SIGRTMAX; ++signo)
    if (std::ranges::find(kept_signals, signo) == kept_signals.end())
      ::sigaction(signo, &action, nullptr);
}

outcome set_attributes() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return fail_os(errno, "prctl", "PR_SET_CHILD_SUBREAPER");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0)
    return fail_os(errno, "prctl", "PR_SET_DUMPABLE");
  // execveat(2) of a descriptor names the process after its number.
  ::prctl(PR_SET_NAME, "troupe-shim");
  ::umask(own_umask);
  if (::chdir("/") != 0)
    return fail_os(errno, "chdir", "/");
  return {};
}

// Lowering takes CAP_SYS_RESOURCE; without it we stay as we are.
std::string lower_oom_score() {
  auto before = sys::read_file(AT_FDCWD, oom_file);
  if (!before || !sys::write_file(AT_FDCWD, oom_file, "-999"))
    return {};
  return *std::move(before);
}

} // namespace

result<own_process> own_process::settle() {
  own_process out;
  TROUPE_CHECK(set_attributes());
  ignore_signals();
  if (::getrlimit(RLIMIT_NOFILE, &out.descriptors_) != 0)
    return fail_os(errno, "getrlimit", "RLIMIT_NOFILE");
  const struct rlimit all {
    out.descriptors_.rlim_max, out.descriptors_.rlim_max
  };
  if (::setrlimit(RLIMIT_NOFILE, &all) != 0)
    return fail_os(errno, "setrlimit", "RLIMIT_NOFILE");
  out.oom_score_ = lower_oom_score();
  return out;
}

outcome own_process::silence() {
  const sys::unique_fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!null)
    return fail_os(errno, "open", "/dev/null");
  for (const auto fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::dup2(null.get(), fd) < 0)
      return fail_os(errno, "dup2", "/dev/null");
  return {};
}

void own_process::restore_in_child() const noexcept {
  ::umask(child_umask);
  ::setrlimit(RLIMIT_NOFILE, &descriptors_);
  if (!oom_score_.empty())
    (void)sys::write_file_raw(AT_FDCWD, oom_file, oom_score_);
}

} // namespace troupe::shim
