#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "tests/support/command.hpp"
#include "tests/support/oci_box.hpp"

#include <csignal>
#include <sched.h>
#include <sys/mount.h>

// A container's pid, given to somebody else: what troupe-oci has on disk is a
// number, and must not hit whoever has it now.

namespace troupe::attack_pid_test {

using test::oci_box;

namespace {

/// Runs `body` as the first process of a pid namespace of its own, with its own
/// /proc: there the next pid may be chosen without harm to the host.
template <class Body>
int in_private_pids(Body body) {
  auto child = sys::clone_process(sys::parentage::own,
                                  CLONE_NEWPID | CLONE_NEWNS, -1)
                 .value();
  if (child.pid == 0) {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
        || ::mount("proc", "/proc", "proc", 0, nullptr) != 0)
      ::_exit(90);
    ::_exit(body());
  }
  return sys::wait_for_exit(child.pidfd.get()).value().shell_code();
}

/// Makes the next fork(2) get `pid`, and does one: a stranger that waits.
sys::cloned stranger(pid_t pid) {
  for (auto i = 0; i < 100; ++i) {
    std::ofstream{"/proc/sys/kernel/ns_last_pid"} << pid - 1;
    auto child = sys::clone_process(sys::parentage::own, 0, -1).value();
    if (child.pid == 0) {
      ::pause();
      ::_exit(0);
    }
    if (child.pid == pid)
      return child;
    (void)sys::send_signal(child.pidfd.get(), SIGKILL);
    (void)sys::wait_for_exit(child.pidfd.get());
  }
  return {};
}

bool is_alive(const sys::cloned& x) {
  const auto ended = sys::reap(x.pidfd.get());
  return ended && !*ended;
}

/// The steps, each with an exit code of its own: a test's assertions work in
/// the test's process only.
int reuse_pid(const oci_box& box) {
  if (box.quietly({"create", "--bundle", box.fs.bundle(), "web"}).exit_code != 0
      || box.call({"start", "web"}).exit_code != 0)
    return 1;
  const auto pid = nlohmann::json::parse(box.call({"state", "web"}).out)
                     .at("pid")
                     .get<pid_t>();
  // Its parent is gone; we are the one who reaps.
  const auto init = sys::open_pidfd(pid);
  if (!init || !sys::send_signal(init->get(), SIGKILL)
      || !sys::wait_for_exit(init->get()))
    return 2;
  const auto other = stranger(pid);
  if (other.pid != pid)
    return 3;
  const auto state = nlohmann::json::parse(box.call({"state", "web"}).out);
  if (state.at("status") != "stopped" || !is_alive(other))
    return 4;
  for (const auto& words : {std::vector<std::string>{"kill", "web", "KILL"},
                            {"exec", "web", "/bin/true"},
                            {"pause", "web"}})
    if (box.call(words).exit_code == 0 || !is_alive(other))
      return 5;
  // With --all it is the cgroup's processes, in which the stranger is not.
  (void)box.call({"kill", "--all", "web", "KILL"});
  if (!is_alive(other))
    return 6;
  if (box.call({"delete", "--force", "web"}).exit_code != 0)
    return 7;
  if (!is_alive(other))
    return 8;
  (void)sys::send_signal(other.pidfd.get(), SIGKILL);
  return sys::wait_for_exit(other.pidfd.get()) ? 0 : 9;
}

} // namespace

TEST_CASE("whoever gets a dead container's pid is left alone", "[rule-6]") {
  const oci_box box;
  CHECK(in_private_pids([&] { return reuse_pid(box); }) == 0);
  CHECK(box.leftovers() == std::vector<std::string>{});
}

} // namespace troupe::attack_pid_test
