#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace troupe::test {

/// Plays the shim for one container or exec session: forks the launcher, is the
/// parent of what it makes, holds the other ends of all lines.
class launched {
public:
  using launcher = std::function<int(const launch::lines&)>;

  /// Runs `launcher` in a fork to its end. Everything that it and the container
  /// write to stdout and stderr is gathered.
  explicit launched(const launcher& run) {
    auto report = sys::seqpacket_pair().value();
    auto start = sys::seqpacket_pair().value();
    int out[2];
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    output_.reset(out[0]);
    auto write_end = sys::unique_fd{out[1]};
    auto child = sys::clone_process(sys::parentage::own, 0, -1).value();
    if (child.pid == 0) {
      const auto lines = launch::lines{report.second.get(), start.second.get(),
                                       -1, out[1], out[1]};
      ::_exit(run(lines));
    }
    report.second.reset();
    start.second.reset();
    write_end.reset();
    launcher_ = child.pid;
    report_ = std::move(report.first);
    start_ = std::move(start.first);
    receive_reports();
    launcher_code_ = sys::wait_for_exit(child.pidfd.get()).value().code;
  }

  launched(const launched&) = delete;
  launched& operator=(const launched&) = delete;

  ~launched() {
    start_.reset();
    if (init_ && !exited_) {
      (void)sys::send_signal(init_.get(), SIGKILL);
      (void)sys::wait_for_exit(init_.get());
    }
  }

  /// Why it was not created; nothing if it was.
  [[nodiscard]] const std::optional<launch::report>& failed() const {
    return failed_;
  }

  [[nodiscard]] const std::vector<launch::report>& warnings() const {
    return warnings_;
  }

  [[nodiscard]] bool created() const {
    return created_;
  }

  [[nodiscard]] int launcher_code() const {
    return launcher_code_;
  }

  /// Its number; it has ended.
  [[nodiscard]] pid_t launcher_pid() const {
    return launcher_;
  }

  [[nodiscard]] pid_t pid() const {
    return pid_;
  }

  [[nodiscard]] int pidfd() const {
    return init_.get();
  }

  /// Sends the start packet; returns the failure that init reports, or nothing
  /// at a successful exec.
  std::optional<launch::report> start() {
    const std::uint8_t go = 1;
    if (!sys::send_packet(start_.get(), {&go, 1}))
      return launch::report{};
    const auto answer = sys::receive_packet(start_.get()).value();
    if (answer.closed)
      return std::nullopt;
    return as_report(answer);
  }

  /// Waits for the end.
  sys::exit_status wait() {
    exited_ = true;
    output_text_ = read_all();
    return sys::wait_for_exit(init_.get()).value();
  }

  /// What was written, complete after `wait`.
  [[nodiscard]] const std::string& output() const {
    return output_text_;
  }

  /// Reads one line of output while the container runs.
  std::string read_line() {
    std::string line;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1 && c != '\n';)
      line.push_back(c);
    return line;
  }

  /// Lets go of the start line, as a caller that dies does.
  void abandon() {
    start_.reset();
  }

  void kill(int signo = SIGKILL) {
    REQUIRE(sys::send_signal(init_.get(), signo));
  }

private:
  static launch::report as_report(const sys::packet& packet) {
    launch::report out;
    REQUIRE(packet.bytes.size() == sizeof(out));
    std::memcpy(&out, packet.bytes.data(), sizeof(out));
    return out;
  }

  void receive_reports() {
    for (;;) {
      auto packet = sys::receive_packet(report_.get()).value();
      if (packet.closed)
        return;
      const auto report = as_report(packet);
      switch (report.kind) {
      case launch::report_kind::spawned:
        pid_ = report.pid;
        REQUIRE(packet.fds.size() == 1);
        init_ = std::move(packet.fds.front());
        break;
      case launch::report_kind::created:
        created_ = true;
        break;
      case launch::report_kind::failed:
        failed_ = report;
        break;
      default:
        warnings_.push_back(report);
      }
    }
  }

  std::string read_all() {
    std::string out;
    char part[4096];
    for (;;) {
      const auto n = ::read(output_.get(), part, sizeof(part));
      if (n <= 0)
        return out;
      out.append(part, static_cast<std::size_t>(n));
    }
  }

  sys::unique_fd report_;
  sys::unique_fd start_;
  sys::unique_fd output_;
  sys::unique_fd init_;
  pid_t launcher_ = 0;
  pid_t pid_ = 0;
  bool created_ = false;
  bool exited_ = false;
  int launcher_code_ = -1;
  std::optional<launch::report> failed_;
  std::vector<launch::report> warnings_;
  std::string output_text_;
};

inline launched create(const plan::launch_plan& plan) {
  return launched{[&](const auto& with) { return run_create(plan, with); }};
}

/// How a container ended that was created, started and waited for.
struct ran {
  sys::exit_status status;
  std::string output;
};

inline ran run(const plan::launch_plan& plan) {
  launched box{[&](const auto& with) { return run_create(plan, with); }};
  if (box.failed())
    FAIL(launch::to_failure(*box.failed(), &plan).what);
  REQUIRE(box.created());
  if (const auto why = box.start())
    FAIL(launch::to_failure(*why, &plan).what);
  const auto status = box.wait();
  return {status, box.output()};
}

inline ran run_shell(plan::launch_plan plan, const std::string& script) {
  plan.process.args = {"sh", "-c", script};
  return run(plan);
}

/// What a launch could leave behind on the host: mounts and children. Compared
/// before and after.
struct host_traces {
  std::string mounts = slurp("/proc/self/mountinfo");
  std::string children = slurp("/proc/self/task/" + std::to_string(::getpid())
                               + "/children");

  static std::string slurp(const std::string& path) {
    auto in = std::ifstream{path};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  friend bool operator==(const host_traces&, const host_traces&) = default;
};

} // namespace troupe::test
