#pragma once

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/skipped.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <linux/sched.h>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::cgroup_test {

inline const auto patience = test::patient(std::chrono::seconds{30});

/// True as soon as `condition` is; false after a generous deadline.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

inline bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

inline std::string content(const std::string& path) {
  auto text = sys::read_file(AT_FDCWD, path);
  if (!text)
    FAIL(text.error().what);
  while (text->ends_with('\n'))
    text->pop_back();
  return *text;
}

/// A cgroup of the test's own, and its removal with all that is in it.
class scratch_cgroup {
public:
  /// Below /troupe-test-PID-N in every hierarchy that `mode` uses.
  explicit scratch_cgroup(plan::cgroup_mode mode, oci::resources limits = {}) {
    static auto counter = 0;
    top_ = "/troupe-test-" + std::to_string(::getpid()) + "-"
           + std::to_string(++counter);
    auto facts = sys::probe_host(top_);
    facts.cgroups = mode;
    if (mode == plan::cgroup_mode::v2 && !facts.v1_mounts.empty())
      facts.v2_controllers.clear(); // leave the host's root as it is
    auto spec = oci::spec{};
    spec.linux_.resources = std::move(limits);
    auto made = cgroup::plan_cgroup(spec, facts, "box");
    if (!made)
      FAIL(made.error().what);
    plan = *std::move(made);
  }

  scratch_cgroup(const scratch_cgroup&) = delete;
  scratch_cgroup& operator=(const scratch_cgroup&) = delete;

  ~scratch_cgroup() {
    static_cast<void>(cgroup::remove(plan, patience));
    cgroup::remove_parent(plan, top_);
  }

  void create() const {
    if (const auto done = cgroup::create(plan); !done)
      FAIL(done.error().path << ": " << errno_name(done.error().os_errno));
  }

  /// The directory of a controller (v1 name), "" for v2.
  [[nodiscard]] std::string directory(const std::string& controller) const {
    for (const auto& each : plan.dirs)
      if (each.controller == controller || plan.mode == plan::cgroup_mode::v2)
        return each.mount + each.path;
    FAIL("no " << controller << " directory");
    return {};
  }

  /// A cgroup that the container makes inside its own. It hands no controllers
  /// down: v2 lets no process live in a cgroup that does.
  [[nodiscard]] plan::cgroup inside(const std::string& path) const {
    auto out = plan;
    for (auto& dir : out.dirs)
      dir.path += path;
    out.writes.clear();
    out.subtree_control.clear();
    return out;
  }

  [[nodiscard]] bool is_gone() const {
    for (const auto& each : plan.dirs)
      if (exists(each.mount + each.path))
        return false;
    return true;
  }

  [[nodiscard]] const std::string& top() const {
    return top_;
  }

  plan::cgroup plan;

private:
  std::string top_;
};

/// A child inside a cgroup, killed and reaped at the end if it still is.
class victim {
public:
  /// Runs `body` in the cgroups of `in`; its result is the exit code. Returns
  /// once the child has entered.
  victim(const plan::cgroup& in, const std::function<int()>& body) {
    auto through = cgroup::open_entrance(in);
    if (!through)
      FAIL(through.error().path);
    int line[2] = {};
    REQUIRE(::pipe2(line, O_CLOEXEC) == 0);
    auto fd = -1;
    auto arguments = clone_args{};
    arguments.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND; // not Catch's
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&fd);
    arguments.exit_signal = SIGCHLD;
    if (through->v2_dir) {
      arguments.flags |= CLONE_INTO_CGROUP;
      arguments.cgroup = static_cast<std::uint64_t>(through->v2_dir.get());
    }
    pid_ = static_cast<pid_t>(
      ::syscall(SYS_clone3, &arguments, sizeof arguments));
    if (pid_ == 0) {
      const auto entered = cgroup::enter_v1(*through);
      if (!entered || ::write(line[1], "e", 1) != 1)
        ::_exit(125);
      ::_exit(body());
    }
    pidfd_ = sys::unique_fd{fd};
    ::close(line[1]);
    auto byte = char{};
    const auto got = ::read(line[0], &byte, 1);
    ::close(line[0]);
    REQUIRE(pid_ > 0);
    REQUIRE(got == 1);
  }

  victim(const victim&) = delete;
  victim& operator=(const victim&) = delete;

  ~victim() {
    if (!pidfd_)
      return;
    static_cast<void>(sys::send_signal(pidfd_.get(), SIGKILL));
    static_cast<void>(sys::wait_for_exit(pidfd_.get()));
  }

  sys::exit_status wait() {
    const auto status = sys::wait_for_exit(pidfd_.get());
    if (!status)
      FAIL(status.error().what);
    pidfd_.reset();
    return *status;
  }

  [[nodiscard]] bool is_running() const {
    auto about = pollfd{pidfd_.get(), POLLIN, 0};
    return ::poll(&about, 1, 0) == 0;
  }

  [[nodiscard]] pid_t pid() const {
    return pid_;
  }

private:
  pid_t pid_ = -1;
  sys::unique_fd pidfd_;
};

inline int wait_for_ever() {
  for (;;)
    ::pause();
}

/// The modes that this host can be used in.
inline std::vector<plan::cgroup_mode> usable_modes() {
  using enum plan::cgroup_mode;
  switch (sys::probe_host("/x").cgroups) {
  case hybrid:
    return {hybrid, v1, v2};
  case v1:
    return {v1};
  case v2:
    return {v2};
  case none:
    break;
  }
  return {};
}

/// The mode in which this host limits memory, pids and the like; `none`, with
/// the reason told, if it does not.
inline plan::cgroup_mode limiting_mode() {
  const auto host = sys::probe_host("/x");
  if (host.v1_mounts.contains("memory"))
    return host.cgroups;
  if (std::ranges::count(host.v2_controllers, "memory") != 0)
    return plan::cgroup_mode::v2;
  test::skipped("no memory controller");
  return plan::cgroup_mode::none;
}

} // namespace troupe::cgroup_test
