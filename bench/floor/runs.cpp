#include "bench/floor/runs.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::floor {

namespace {

/// No two containers of a process have the same cgroup.
std::string fresh_suffix() {
  static auto number = 0;
  return "-" + std::to_string(++number);
}

result<std::vector<recipe>> prepare_all(const plan::launch_plan& plan,
                                        int count) {
  std::vector<recipe> out;
  for (auto i = 0; i < count; ++i) {
    TROUPE_TRY(auto one, prepare(plan, fresh_suffix()));
    out.push_back(std::move(one));
  }
  return out;
}

/// What the starters share, in memory of its own.
class board {
public:
  explicit board(std::size_t count)
    : size_(sizeof(std::atomic<std::size_t>) + count * sizeof(times)),
      memory_(::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ != MAP_FAILED)
      new (memory_) std::atomic<std::size_t>{0};
  }
  board(const board&) = delete;
  board& operator=(const board&) = delete;
  ~board() {
    if (memory_ != MAP_FAILED)
      ::munmap(memory_, size_);
  }

  [[nodiscard]] bool usable() const {
    return memory_ != MAP_FAILED;
  }
  [[nodiscard]] std::atomic<std::size_t>& next() const {
    return *static_cast<std::atomic<std::size_t>*>(memory_);
  }
  [[nodiscard]] times* slots() const {
    return reinterpret_cast<times*>(&next() + 1);
  }

private:
  std::size_t size_;
  void* memory_;
};

/// A starter's life: waits for the end of `gate`, then takes one start after
/// the other.
[[noreturn]] void start_some(const std::vector<recipe>& recipes,
                             const board& on, int gate) {
  char byte = 0;
  if (::read(gate, &byte, 1) != 0)
    ::_exit(1);
  for (auto i = on.next()++; i < recipes.size(); i = on.next()++) {
    const auto done = perform(recipes[i]);
    if (!done) {
      std::fprintf(stderr, "troupe-floor: %s\n", done.error().what.c_str());
      ::_exit(1);
    }
    on.slots()[i] = *done;
  }
  ::_exit(0);
}

outcome wait_for(const std::vector<pid_t>& starters) {
  auto failed = 0;
  for (const auto pid : starters) {
    auto status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0)
      ++failed;
  }
  if (failed != 0)
    return fail(fault::os, std::to_string(failed) + " starters failed");
  return {};
}

} // namespace

result<std::vector<times>> run_in_sequence(const plan::launch_plan& plan,
                                           int count) {
  TROUPE_TRY(const auto recipes, prepare_all(plan, count));
  std::vector<times> out;
  for (const auto& each : recipes) {
    TROUPE_TRY(const auto done, perform(each));
    out.push_back(done);
  }
  return out;
}

result<std::vector<times>> run_at_once(const plan::launch_plan& plan, int count,
                                       int starters) {
  TROUPE_TRY(const auto recipes, prepare_all(plan, count));
  const board on{recipes.size()};
  int gate[2] = {-1, -1};
  if (!on.usable() || ::pipe2(gate, O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  std::vector<pid_t> processes;
  for (auto i = 0; i < starters; ++i) {
    const auto pid = ::fork();
    if (pid == 0) {
      ::close(gate[1]);
      start_some(recipes, on, gate[0]);
    }
    if (pid > 0)
      processes.push_back(pid);
  }
  ::close(gate[0]);
  const auto wanted = now_ns();
  ::close(gate[1]);
  TROUPE_CHECK(wait_for(processes));
  std::vector<times> out{on.slots(), on.slots() + recipes.size()};
  for (auto& each : out)
    each.began = wanted;
  return out;
}

} // namespace troupe::floor
