#pragma once

#include "runtime/linux/pidfd.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/shim_client.hpp"

#include <csignal>
#include <sys/wait.h>

namespace troupe::test {

/// A real shim, a child of the test, in a directory of its own.
class shim_process {
public:
  shim_process() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const sys::unique_fd ready{ends[0]};
    sys::unique_fd shim_ready{ends[1]};
    const auto pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0)
      exec(shim_ready.get());
    pidfd_ = sys::open_pidfd(pid).value();
    pid_ = pid;
    shim_ready.reset();
    char said[256];
    REQUIRE(readable(ready.get()));
    const auto n = ::read(ready.get(), said, sizeof said);
    REQUIRE(std::string(said, static_cast<std::size_t>(n)) == "ready");
  }

  shim_process(const shim_process&) = delete;
  shim_process& operator=(const shim_process&) = delete;

  ~shim_process() {
    if (exited())
      return;
    kill_containers();
    if (!readable(pidfd_.get(), patient(std::chrono::seconds{20})))
      (void)sys::send_signal(pidfd_.get(), SIGKILL);
    (void)sys::wait_for_exit(pidfd_.get());
  }

  [[nodiscard]] std::string socket_path() const {
    return directory / "shim.sock";
  }

  [[nodiscard]] std::string log_path(const std::string& name = "log") const {
    return directory / name;
  }

  [[nodiscard]] pid_t pid() const {
    return pid_;
  }

  [[nodiscard]] int pidfd() const {
    return pidfd_.get();
  }

  [[nodiscard]] bool exited() const {
    return readable(pidfd_.get(), std::chrono::milliseconds{0});
  }

  /// Waits until it has ended by itself.
  int exit_code() const {
    REQUIRE(readable(pidfd_.get()));
    siginfo_t info{};
    REQUIRE(::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info,
                     WEXITED | WNOWAIT)
            == 0);
    return info.si_status;
  }

  scratch_directory directory;

private:
  /// From a sealed copy, as shim::start_shim does.
  [[noreturn]] void exec(int ready) const {
    ::fcntl(ready, F_SETFD, 0);
    const auto program = sys::sealed_copy(
      "troupe-shim", std::string{TROUPE_BIN_DIR} + "/troupe-shim");
    auto socket = socket_path();
    auto number = std::to_string(ready);
    char name[] = "troupe-shim";
    char listen[] = "--listen";
    char spare[] = "--spare-launchers";
    char one[] = "1";
    char ready_fd[] = "--ready-fd";
    char* const argv[] = {name, listen,   socket.data(), spare,
                          one,  ready_fd, number.data(), nullptr};
    if (program)
      ::fexecve(program->get(), argv, environ);
    ::_exit(127);
  }

  // Whatever a failing test has left behind.
  void kill_containers() const {
    auto socket = sys::seqpacket_connect(socket_path());
    if (!socket)
      return;
    shim_client last{*std::move(socket)};
    while (!last.synced && last.receive())
      continue;
    for (const auto& each : last.records)
      (void)last.try_send(shim::signal{0, each.first, SIGKILL});
    const auto over = [](const auto& each) {
      return each.second.state >= shim::process_state::exited;
    };
    while (!std::all_of(last.records.begin(), last.records.end(), over)
           && last.receive())
      continue;
    for (const auto& each : last.records)
      (void)last.try_send(shim::forget{0, each.first});
    (void)last.try_send(shim::quit{});
    while (last.receive())
      continue;
  }

  sys::unique_fd pidfd_;
  pid_t pid_ = -1;
};

/// A launch request for `key`, its log at `log` unless that is empty.
inline shim::launch launch_of(std::string key, std::string log = {}) {
  shim::launch out;
  out.key = std::move(key);
  if (!log.empty())
    out.log.driver = shim::log_driver::k8s_file;
  out.log.path = std::move(log);
  return out;
}

/// An ordinary container but for the host's network, which is what takes most
/// time to make.
inline plan::launch_plan quick_plan(const busybox_rootfs& fs,
                                    std::vector<std::string> args) {
  auto out = default_plan(fs, std::move(args));
  out.namespaces.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
  out.loopback_up = false;
  std::erase_if(out.rootfs.mounts,
                [](const auto& each) { return each.type == "sysfs"; });
  return out;
}

inline plan::launch_plan shell_plan(const busybox_rootfs& fs,
                                    const std::string& script) {
  return quick_plan(fs, {"/bin/sh", "-c", script});
}

/// A shim, its supervisor, and something to run.
struct shim_box {
  busybox_rootfs fs;
  shim_process process;
  shim_client supervisor{process.socket_path()};

  /// Launches and starts `plan`.
  void begin(const shim::launch& how, const plan::launch_plan& plan) {
    const auto created = supervisor.launch(how, plan);
    INFO(created.what);
    REQUIRE(created.fault == 0);
    const auto started = supervisor.start(how.key);
    INFO(started.what);
    REQUIRE(started.fault == 0);
  }

  /// The same, and waits for the end.
  shim::record run(const shim::launch& how, const plan::launch_plan& plan) {
    begin(how, plan);
    return supervisor.wait_for(how.key, shim::process_state::exited);
  }
};

} // namespace troupe::test
