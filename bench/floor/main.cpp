#include "bench/floor/runs.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <linux/close_range.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::floor {

namespace {

constexpr auto usage
  = "usage: troupe-floor PLAN [COUNT [STARTERS]]\n\n"
    "Starts the containers of PLAN (the plan.cbor of a container of troupe's)\n"
    "with bare system calls, and says on stderr when things happened, in ns:\n"
    "  {\"began\":[…],\"started\":[…],\"exited\":[…],\"removed\":[…],"
    "\"exit_code\":[…]}\n"
    "COUNT of them in a row, or, with STARTERS processes, at once. Without "
    "COUNT, it\nreads such numbers from stdin and answers each line on stdout, "
    "and its "
    "containers\nhave /dev/null; else they have its own stdio.\n";

result<plan::launch_plan> read_plan(const char* path) {
  const auto file = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (file < 0 || ::fstat(file, &info) != 0)
    return fail_os(errno, "open", path);
  plan::bytes cbor(static_cast<std::size_t>(info.st_size));
  const auto got = ::read(file, cbor.data(), cbor.size());
  ::close(file);
  if (got != info.st_size)
    return fail_os(EIO, "read", path);
  return plan::decode_launch_plan(cbor);
}

template <class T>
void print(std::FILE* to, const char* name, const std::vector<times>& from,
           T times::*member) {
  std::fprintf(to, "\"%s\":[", name);
  for (auto i = std::size_t{0}; i < from.size(); ++i)
    std::fprintf(to, i == 0 ? "%lld" : ",%lld",
                 static_cast<long long>(from[i].*member));
  std::fputc(']', to);
}

void print(std::FILE* to, const std::vector<times>& all) {
  std::fputc('{', to);
  print(to, "began", all, &times::began);
  std::fputc(',', to);
  print(to, "started", all, &times::started);
  std::fputc(',', to);
  print(to, "exited", all, &times::exited);
  std::fputc(',', to);
  print(to, "removed", all, &times::removed);
  std::fputc(',', to);
  print(to, "exit_code", all, &times::exit_code);
  std::fputs("}\n", to);
  std::fflush(to);
}

int answer(const plan::launch_plan& plan, int count, int starters,
           std::FILE* to) {
  const auto done = starters > 0 ? run_at_once(plan, count, starters)
                                 : run_in_sequence(plan, count);
  if (!done) {
    std::fprintf(stderr, "troupe-floor: %s\n", done.error().what.c_str());
    return 1;
  }
  print(to, *done);
  return 0;
}

/// Moves stdin and stdout out of the containers' way.
std::FILE* take_over(int fd, const char* mode) {
  const auto own = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  const auto null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (own < 0 || null < 0 || ::dup2(null, fd) < 0)
    return nullptr;
  ::close(null);
  return ::fdopen(own, mode);
}

int serve(const plan::launch_plan& plan) {
  auto* const in = take_over(0, "r");
  auto* const out = take_over(1, "w");
  if (in == nullptr || out == nullptr) {
    std::perror("troupe-floor: stdio");
    return 1;
  }
  auto count = 0;
  auto starters = 0;
  while (std::fscanf(in, "%d %d", &count, &starters) == 2)
    if (const auto code = answer(plan, count, starters, out); code != 0)
      return code;
  return 0;
}

} // namespace

} // namespace troupe::floor

int main(int argc, char** argv) {
  using namespace troupe::floor;
  if (argc < 2 || argc > 4 || argv[1][0] == '-') {
    std::fputs(usage, argc == 2 ? stdout : stderr);
    return argc == 2 ? 0 : 2;
  }
  // Nothing that we were given reaches a container.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  const auto plan = read_plan(argv[1]);
  if (!plan) {
    std::fprintf(stderr, "troupe-floor: %s\n", plan.error().what.c_str());
    return 1;
  }
  if (argc == 2)
    return serve(*plan);
  const auto count = std::atoi(argv[2]);
  const auto starters = argc == 4 ? std::atoi(argv[3]) : 0;
  return answer(*plan, count, starters, stderr);
}
