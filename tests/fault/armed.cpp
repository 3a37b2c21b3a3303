#include "config/base/fault_point.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/// Fault points that do something: see tests/fault/run, which writes and reads
/// the files in ROOT.faults:
///   seen   every point that was passed, one a line, while it is there
///   armed  `POINT ACTION NTH`: at the NTH passing of the point `AREA.STEP.
///          MOMENT`, ACTION is done once: `kill`, `stop`, or the errno to fail
///          with
namespace troupe {

namespace {

/// ROOT, of trouped (--root ROOT) or of its shim (--listen ROOT/shim.sock): a
/// shim has no environment.
std::string root_of(const std::string& command_line) {
  for (const std::string option : {"--root", "--listen"}) {
    const auto at = command_line.find(option + '\0');
    if (at == std::string::npos)
      continue;
    std::string value{command_line.c_str() + at + option.size() + 1};
    return option == "--root" ? value : value.substr(0, value.rfind('/'));
  }
  return {};
}

std::string read_whole(int fd) {
  std::string out;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(n));
  return out;
}

class closed_later {
public:
  explicit closed_later(int fd) : fd_(fd) {
  }
  closed_later(const closed_later&) = delete;
  closed_later& operator=(const closed_later&) = delete;
  ~closed_later() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const {
    return fd_;
  }

private:
  int fd_;
};

/// A path, not a descriptor: launchers close what they do not know. Behind a
/// pivot_root nothing is found there, and nothing is done.
const std::string& directory() {
  static const auto path = [] {
    const closed_later fd{::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)};
    return root_of(read_whole(fd.get())) + ".faults";
  }();
  return path;
}

void note(const std::string& point) {
  const closed_later fd{
    ::open((directory() + "/seen").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
  const auto line = point + '\n';
  if (fd.get() >= 0)
    (void)!::write(fd.get(), line.data(), line.size());
}

struct order {
  std::string point;
  std::string action;
  long nth = 0;
};

order parsed(const std::string& text) {
  const auto first = text.find(' ');
  const auto second = text.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos)
    return {};
  return {text.substr(0, first), text.substr(first + 1, second - first - 1),
          std::strtol(text.c_str() + second, nullptr, 10)};
}

/// The action that is due here, or nothing. Whoever does it takes the order
/// away, so that it is done once.
std::string due(const std::string& point) {
  const auto path = directory() + "/armed";
  const closed_later fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  if (fd.get() < 0 || ::flock(fd.get(), LOCK_EX) != 0)
    return {};
  auto wanted = parsed(read_whole(fd.get()));
  if (wanted.point != point)
    return {};
  if (--wanted.nth <= 0) {
    // Another that waited for the lock finds an empty file.
    (void)!::ftruncate(fd.get(), 0);
    ::unlink(path.c_str());
    return wanted.action;
  }
  const auto rest = wanted.point + ' ' + wanted.action + ' '
                    + std::to_string(wanted.nth);
  (void)!::ftruncate(fd.get(), 0);
  (void)!::pwrite(fd.get(), rest.data(), rest.size(), 0);
  return {};
}

/// In a pid namespace of its own SIGKILL would do nothing to its init.
[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  ::_exit(128 + SIGKILL);
}

} // namespace

int fault_point(std::string_view area, std::string_view step,
                std::string_view moment) noexcept {
  const auto saved = errno;
  const auto point = std::string{area}.append(".").append(step).append(".")
                     + std::string{moment};
  note(point);
  const auto action = due(point);
  errno = saved;
  if (action == "kill")
    die();
  if (action == "stop")
    ::raise(SIGSTOP);
  auto number = 0;
  std::from_chars(action.data(), action.data() + action.size(), number);
  return number;
}

} // namespace troupe
