#include "runtime/launch/hooks.hpp"

#include "runtime/launch/c_strings.hpp"
#include "runtime/linux/descriptors.hpp"
#include "runtime/linux/memfd.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

using clock = std::chrono::steady_clock;

/// What is kept of a hook's output: its end, short enough for a report.
constexpr std::size_t output_tail = 600;

struct running_hook {
  pid_t pid = 0;
  sys::unique_fd pidfd;
  sys::unique_fd output;
};

struct output_pipe {
  sys::unique_fd read;
  sys::unique_fd write;
};

result<output_pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  auto out = output_pipe{sys::unique_fd{ends[0]}, sys::unique_fd{ends[1]}};
  if (::fcntl(out.read.get(), F_SETFL, O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl", "O_NONBLOCK");
  return out;
}

/// In the hook's process: becomes the hook, or says on stderr why it cannot.
[[noreturn]] void become(const plan::hook& hook, const std::string& cwd,
                         int state, int output) {
  auto args = hook.args.empty() ? std::vector{hook.path} : hook.args;
  const auto argv = c_strings{args};
  const auto envp = c_strings{hook.env};
  const char* failing = "dup2";
  if (::dup2(state, 0) == 0 && ::dup2(output, 1) == 1
      && ::dup2(output, 2) == 2) {
    ::setsid();
    // A hook does not outlive the launcher that it works for.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    failing = "chdir";
    if (sys::close_all_on_exec() && ::chdir(cwd.c_str()) == 0) {
      failing = "execve";
      ::execve(hook.path.c_str(), argv.get(), envp.get());
    }
  }
  ::dprintf(2, "%s: %s", failing, ::strerrordesc_np(errno));
  ::_exit(127);
}

result<running_hook> start(const plan::hook& hook, const std::string& state,
                           const std::string& cwd) {
  // A memfd, not a pipe: a hook that does not read its stdin can neither block
  // nor kill us.
  TROUPE_TRY(
    const auto document,
    sys::sealed_memfd(
      "state", std::span{reinterpret_cast<const std::uint8_t*>(state.data()),
                         state.size()}));
  if (::lseek(document.get(), 0, SEEK_SET) != 0)
    return fail_os(errno, "lseek", "state document");
  TROUPE_TRY(auto output, make_pipe());
  TROUPE_TRY(auto child, sys::clone_process(sys::parentage::own, 0, -1));
  if (child.pid == 0)
    become(hook, cwd, document.get(), output.write.get());
  return running_hook{child.pid, std::move(child.pidfd),
                      std::move(output.read)};
}

/// Appends what can be read; false at the end of the output.
bool drain(int output, std::string& tail) {
  char part[4096];
  for (;;) {
    const auto n = ::read(output, part, sizeof(part));
    if (n <= 0)
      return n < 0 && (errno == EAGAIN || errno == EINTR);
    tail.append(part, static_cast<std::size_t>(n));
    if (tail.size() > output_tail)
      tail.erase(0, tail.size() - output_tail);
  }
}

/// Milliseconds for poll(2), rounded up; -1 for ever.
int remaining(const plan::hook& hook, clock::time_point begun) {
  if (hook.timeout_s <= 0)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                      begun + std::chrono::seconds{hook.timeout_s}
                      - clock::now())
                      .count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

/// Reads output until the hook itself has ended, whoever else still holds the
/// pipe. False: its time is up.
bool watch(const plan::hook& hook, const running_hook& child,
           std::string& tail) {
  const auto begun = clock::now();
  auto waiting = std::array{pollfd{child.pidfd.get(), POLLIN, 0},
                            pollfd{child.output.get(), POLLIN, 0}};
  while (waiting[0].revents == 0) {
    const auto n = ::poll(waiting.data(), waiting.size(),
                          remaining(hook, begun));
    if (n == 0)
      return false;
    if (waiting[1].revents != 0 && !drain(child.output.get(), tail))
      waiting[1].fd = -1; // closed: only the end is left to wait for
  }
  drain(child.output.get(), tail);
  return true;
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.pop_back();
  return text;
}

failure hook_failure(const plan::hook& hook, int os_errno,
                     const std::string& how, const std::string& tail) {
  auto what = hook.path.substr(0, 300) + ": " + how;
  if (const auto said = trimmed(tail); !said.empty())
    what += ": " + said;
  return {classify(os_errno), os_errno, std::move(what)};
}

} // namespace

outcome run_hook(const plan::hook& hook, const std::string& state,
                 const std::string& cwd) {
  TROUPE_TRY(const auto child, start(hook, state, cwd));
  std::string tail;
  const auto in_time = watch(hook, child, tail);
  // The group's id is its leader's, our child that is not reaped yet: it cannot
  // have been given to anybody else.
  if (!in_time)
    ::kill(-child.pid, SIGKILL);
  TROUPE_TRY(const auto ended, sys::wait_for_exit(child.pidfd.get()));
  if (!in_time)
    return fail(hook_failure(hook, ETIMEDOUT,
                             "killed after its time-out of "
                               + std::to_string(hook.timeout_s) + " s",
                             tail));
  if (ended.signal != 0)
    return fail(hook_failure(hook, ECANCELED,
                             "killed by signal " + std::to_string(ended.signal),
                             tail));
  if (ended.code != 0)
    return fail(hook_failure(hook, ECANCELED,
                             "exit code " + std::to_string(ended.code), tail));
  return {};
}

outcome run_hooks(std::span<const plan::hook> hooks, plan::phase phase,
                  const std::string& state, const std::string& cwd,
                  progress& at) {
  at = {phase, 0};
  for (const auto& hook : hooks) {
    TROUPE_CHECK(run_hook(hook, state, cwd));
    ++at.index;
  }
  return {};
}

void run_poststop(const plan::launch_plan& plan, int report_line) {
  if (plan.hooks.poststop.empty())
    return;
  const auto state = state_document(plan, "stopped", 0);
  auto at = progress{plan::phase::hook_poststop, 0};
  for (const auto& hook : plan.hooks.poststop) {
    if (const auto ran = run_hook(hook, state, plan.bundle); !ran)
      // A warning that nobody hears any more changes nothing.
      (void)send_report(
        report_line, make_report(report_kind::hook_warning, at, ran.error()));
    ++at.index;
  }
}

} // namespace troupe::launch
