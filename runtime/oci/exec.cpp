#include "config/base/container_id.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/regular_file.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/exec_process.hpp"
#include "runtime/oci/foreground.hpp"
#include "runtime/oci/lines.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"
#include "runtime/oci/wording.hpp"
#include "runtime/probe/host.hpp"

#include <chrono>
#include <csignal>
#include <optional>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

outcome check_status(const container& x, bool ignore_paused) {
  if (x.status == status::paused && !ignore_paused)
    return fail(fault::paused, "cannot exec in a paused container (use "
                               "--ignore-paused to override)");
  if (x.is_alive())
    return {};
  return fail(fault::wrong_state, "cannot exec in a stopped container");
}

outcome check_console(const exec_options& x, bool terminal) {
  if (terminal && x.detach && x.console_socket.empty())
    return fail(fault::invalid_config, "cannot allocate tty if the process is "
                                       "detached without --console-socket");
  if (!terminal && !x.console_socket.empty())
    return fail(fault::invalid_config,
                "cannot use --console-socket without a tty");
  return {};
}

/// `[CONTROLLER:]PATH`, below the container's own cgroups.
outcome enter_below(plan::cgroup& in, const std::vector<std::string>& paths) {
  for (const auto& each : paths) {
    const auto colon = each.find(':');
    const auto controller = colon == std::string::npos ? std::string{}
                                                       : each.substr(0, colon);
    auto path = each.substr(colon == std::string::npos ? 0 : colon + 1);
    if (("/" + path + "/").find("/../") != std::string::npos)
      return fail(fault::invalid_config,
                  "--cgroup " + each + ": must not contain '..'");
    if (!path.starts_with('/'))
      path.insert(0, 1, '/');
    for (auto& dir : in.dirs)
      if (controller.empty()
          || ("," + dir.controller + ",").find("," + controller + ",")
               != std::string::npos)
        dir.path += path;
  }
  return {};
}

result<plan::exec_plan> plan_of(const runtime& in, const container& x,
                                const exec_options& options) {
  TROUPE_TRY(const auto process, exec_process(in.store, x.state.id, options));
  TROUPE_TRY(auto out, plan::compile_exec(
                         process, x.plan,
                         sys::probe_host(default_cgroup_parent), random_id()));
  TROUPE_CHECK(enter_below(out.cgroup, options.cgroups));
  if (!options.process_file.empty()) // else the container was warned of it
    for (const auto& warning : out.warnings)
      in.warn(warning);
  return out;
}

/// Launches and starts it; the caller is its parent.
result<process> launch(const runtime& in, const container& x,
                       const plan::exec_plan& plan, launch::lines with) {
  TROUPE_TRY(auto start, sys::seqpacket_pair());
  with.start = start.second.get();
  with.stdin_fd = STDIN_FILENO;
  with.stdout_fd = STDOUT_FILENO;
  with.stderr_fd = STDERR_FILENO;
  // In a paused container (--ignore-paused) it starts once that is resumed.
  const auto patience = x.status == status::paused
                          ? std::chrono::milliseconds{-1}
                          : launch::session_patience;
  auto made = run_launcher(
    [&](int line) {
      with.report = line;
      return launch::run_exec(plan, with, x.init.get(), patience);
    },
    {.warned = [&](const launch::report& why) {
      in.warn(launch::to_failure(why, nullptr).what);
    }});
  start.second.reset();
  if (!made.failed) {
    made.failed = send_start(start.first.get(), patience);
    if (made.failed) // it may have been stopped, and then does not end itself
      (void)sys::send_signal(made.process.pidfd.get(), SIGKILL);
  }
  if (made.failed)
    return fail(to_failure(*made.failed, plan.process, nullptr));
  return std::move(made.process);
}

} // namespace

result<int> exec(const runtime& in, const std::string& id,
                 const exec_options& options) {
  TROUPE_TRY(auto held, lock(in.store, id, sharing::shared));
  TROUPE_TRY(const auto x, look(in.store, id));
  TROUPE_CHECK(check_status(x, options.ignore_paused));
  TROUPE_TRY(auto plan, plan_of(in, x, options));
  const auto terminal = plan.process.terminal;
  TROUPE_CHECK(check_console(options, terminal));
  launch::lines with;
  with.preserve_fds = options.preserve_fds + pass_listen_fds(plan.process);
  TROUPE_CHECK(check_preserved(with.preserve_fds));
  TROUPE_TRY(const auto console, connect_console(options.console_socket));
  std::optional<foreground> carrier;
  if (!options.detach) {
    TROUPE_TRY(carrier, foreground::prepare());
  }
  const auto carries_terminal = terminal && !console;
  if (console)
    with.console = console.get();
  else if (carries_terminal)
    with.console = carrier->console();
  if (x.status == status::paused)
    held.reset(); // or `resume` would wait for us, and we for it
  TROUPE_TRY(const auto made, launch(in, x, plan, with));
  if (!options.pid_file.empty())
    TROUPE_CHECK(write_pid_file(options.pid_file, made.pid));
  held.reset(); // it may run for days
  return carrier ? carrier->carry(made, carries_terminal) : 0;
}

} // namespace troupe::oci_runtime
