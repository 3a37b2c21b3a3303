#include "config/base/fault_point.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

/// Fault points that do something. Which, and what was passed, is in one file,
/// ROOT.faults/board, which tests/fault/run makes, and which every process of
/// trouped and its shim has mapped from its beginning: a launcher closes the
/// descriptors that it does not know, and behind pivot_root there are no paths.
namespace troupe {

namespace {

/// The file. tests/fault/harness/board.py knows it too.
struct board {
  /// How many passings of `point` from now `action` is done, once; 0: never.
  std::atomic<std::int32_t> left;
  std::atomic<std::uint32_t> recording; ///< Whether what is passed is noted.
  std::atomic<std::uint32_t> used;      ///< Of `seen`.
  std::uint32_t unused;
  std::array<char, 112> point;  ///< "AREA.STEP.MOMENT", and a null byte.
  std::array<char, 128> action; ///< "kill", "stop", or the errno to fail with.
  std::array<char, (4U << 20U) - 256> seen; ///< Every point, one a line.
};
static_assert(sizeof(board) == 4U << 20U);

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

std::string own_command_line() {
  std::string out;
  const auto fd = ::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

board* mapped() {
  const auto path = root_of(own_command_line()) + ".faults/board";
  const auto fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return nullptr;
  auto* const at = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE,
                          MAP_SHARED, fd, 0);
  ::close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<board*>(at);
}

board* const shared = mapped();

void note(const std::string& point) {
  const auto line = point + '\n';
  const auto size = static_cast<std::uint32_t>(line.size());
  const auto at = shared->used.fetch_add(size);
  if (at + size <= shared->seen.size())
    std::memcpy(shared->seen.data() + at, line.data(), size);
}

/// The action that is due here, or nothing.
std::string due(const std::string& point) {
  auto left = shared->left.load();
  if (left <= 0 || point != shared->point.data())
    return {};
  std::string action{shared->action.data()};
  while (left > 0 && !shared->left.compare_exchange_weak(left, left - 1))
    ;
  return left == 1 ? action : std::string{};
}

/// In a pid namespace of its own SIGKILL would do nothing to its init.
[[noreturn]] void die() {
  ::kill(::getpid(), SIGKILL);
  ::_exit(128 + SIGKILL);
}

} // namespace

int fault_point(std::string_view area, std::string_view step,
                std::string_view moment) noexcept {
  if (!shared)
    return 0;
  const auto saved = errno;
  const auto point = std::string{area}.append(".").append(step).append(".")
                     + std::string{moment};
  if (shared->recording.load() != 0)
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
