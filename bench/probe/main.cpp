#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <unistd.h>

/// What containers of the benchmarks run where busybox has no word for it.
///
///   clock        writes CLOCK_MONOTONIC in ns, and ends: its last act
///
///   lines BYTES  writes so many bytes in lines of 100
///
///   pause        does nothing until it is killed
namespace {

/// A number and a newline by one write(2).
int tell_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  auto left = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000
              + static_cast<std::uint64_t>(now.tv_nsec);
  char text[24];
  auto* at = text + sizeof text;
  *--at = '\n';
  for (; left != 0; left /= 10)
    *--at = static_cast<char>('0' + left % 10);
  const auto size = static_cast<std::size_t>(text + sizeof text - at);
  return ::write(1, at, size) == static_cast<ssize_t>(size) ? 0 : 1;
}

int write_lines(std::size_t bytes) {
  static char block[100 * 600];
  std::memset(block, 'x', sizeof block);
  for (auto i = std::size_t{99}; i < sizeof block; i += 100)
    block[i] = '\n';
  while (bytes != 0) {
    const auto size = bytes < sizeof block ? bytes : sizeof block;
    const auto put = ::write(1, block, size);
    if (put <= 0)
      return 1;
    bytes -= static_cast<std::size_t>(put);
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "clock")
    return tell_clock();
  if (mode == "lines" && argc == 3)
    return write_lines(std::strtoull(argv[2], nullptr, 10));
  if (mode == "pause")
    for (;;)
      ::pause();
  return 2;
}
