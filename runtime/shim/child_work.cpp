#include "runtime/shim/child_work.hpp"

#include "runtime/launch/progress.hpp"
#include "runtime/linux/memfd.hpp"
#include "runtime/shim/children.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::shim {

namespace {

template <class Decode, class Run>
int with_plan(int memfd, int line, Decode decode, Run run) {
  const auto plan = sys::read_sealed(memfd).and_then(
    [&](const plan::bytes& cbor) { return decode(cbor); });
  if (plan)
    return run(*plan);
  (void)launcher::send_report(line, prepare_failure(plan.error()));
  return 1;
}

} // namespace

int create_work(int plan, const launcher::lines& with, launcher::spare& own) {
  return with_plan(plan, with.report, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_create(x, with, own);
                   });
}

int exec_work(int plan, const launcher::lines& with, int target,
              bool ignore_paused) {
  const auto patience = ignore_paused ? std::chrono::milliseconds{-1}
                                      : launcher::session_patience;
  return with_plan(plan, with.report, plan::decode_exec_plan,
                   [&](const plan::exec_plan& x) {
                     return launcher::run_exec(x, with, target, patience);
                   });
}

int teardown_work(int plan, int line) {
  return with_plan(plan, line, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_teardown(x, line);
                   });
}

int poststart_work(int plan, int line, pid_t pid) {
  return with_plan(plan, line, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_poststart(x, line, pid);
                   });
}

outcome preserve(const std::vector<sys::unique_fd>& what, int& plan,
                 int& target, launcher::lines& with) {
  if (what.empty())
    return {};
  const auto end = 3 + static_cast<int>(what.size());
  const auto move_away = [&](int& fd) -> outcome {
    if (fd < 3 || fd >= end)
      return {};
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, end);
    return fd < 0 ? fail_os(errno, "dup", "descriptor") : outcome{};
  };
  for (auto* each : {&plan, &target, &with.report, &with.start, &with.stdin_fd,
                     &with.stdout_fd, &with.stderr_fd, &with.console})
    TROUPE_CHECK(move_away(*each));
  std::vector<int> sources;
  for (const auto& each : what) {
    sources.push_back(each.get());
    TROUPE_CHECK(move_away(sources.back()));
  }
  for (std::size_t i = 0; i < sources.size(); ++i)
    if (::dup2(sources[i], 3 + static_cast<int>(i)) < 0)
      return fail_os(errno, "dup2", "descriptor");
  with.preserve_fds = static_cast<int>(what.size());
  return {};
}

} // namespace troupe::shim
