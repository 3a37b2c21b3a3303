#include "config/base/container_id.hpp"
#include "runtime/linux/daemon.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/launcher.hpp"
#include "runtime/oci/lines.hpp"
#include "runtime/oci/lock.hpp"
#include "runtime/oci/operations.hpp"
#include "runtime/oci/wording.hpp"

#include <csignal>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

/// runc's words, for whoever knows them.
outcome check_console(const plan::process& process, const create_options& x) {
  const auto has_console = !x.console_socket.empty() || x.console >= 0;
  if (process.terminal && !has_console)
    return fail(fault::invalid_config,
                "cannot allocate tty if the container is detached without "
                "setting --console-socket");
  if (!process.terminal && !x.console_socket.empty())
    return fail(fault::invalid_config,
                "/process/terminal: expected true with --console-socket, found "
                "false");
  return {};
}

store::state first_state(const plan::launch_plan& plan) {
  store::state out;
  out.id = plan.id;
  out.status = state_creating;
  out.bundle = plan.bundle;
  out.created = now_ns();
  out.oci_version = plan.oci_version;
  out.rootfs = plan.rootfs.path;
  out.owner = ::geteuid();
  for (std::size_t i = 0; i < plan.annotation_keys.size(); ++i)
    out.annotations[plan.annotation_keys[i]] = plan.annotation_values.at(i);
  return out;
}

/// A creation under way: the directory is there and ours.
class creation {
public:
  creation(const runtime& in, const plan::launch_plan& plan)
    : in_(in), plan_(plan), state_(first_state(plan)) {
  }

  outcome write_files(const std::string& config) {
    TROUPE_CHECK(in_.store.write_config(plan_.id, config));
    TROUPE_CHECK(in_.store.write_plan(plan_));
    return in_.store.write_state(state_);
  }

  outcome launch(const create_options& options) {
    TROUPE_TRY(const auto directory, open_directory(in_.store, plan_.id));
    TROUPE_TRY(const auto start,
               sys::seqpacket_listen(start_socket(directory.get())));
    TROUPE_TRY(const auto console, connect_console(options.console_socket));
    launch::lines with;
    with.start = start.get();
    with.stdin_fd = STDIN_FILENO;
    with.stdout_fd = STDOUT_FILENO;
    with.stderr_fd = STDERR_FILENO;
    with.console = console                  ? console.get()
                   : plan_.process.terminal ? options.console
                                            : -1;
    with.preserve_fds = options.preserve_fds;
    process_ = run_launcher(
      [&](int line) {
        with.report = line;
        return launch::run_create(plan_, with);
      },
      {[this](pid_t pid) { return note(pid); },
       [this](const launch::report& why) {
         in_.warn(launch::to_failure(why, &plan_).what);
       }});
    if (process_.failed)
      return fail(to_failure(*process_.failed, plan_.process, &plan_));
    state_.status = state_created;
    return in_.store.write_state(state_);
  }

  /// Undoes a launch that succeeded.
  void abandon() {
    if (!process_.process.pidfd || process_.failed)
      return;
    (void)sys::send_signal(process_.process.pidfd.get(), SIGKILL);
    (void)sys::wait_for_exit(process_.process.pidfd.get());
    (void)run_launcher(
      [&](int line) { return launch::run_teardown(plan_, line); }, {});
  }

  [[nodiscard]] process& made() noexcept {
    return process_.process;
  }

private:
  /// Before hooks run, which may ask for the state.
  outcome note(pid_t pid) {
    state_.pid = pid;
    TROUPE_TRY(state_.pid_start, start_time(pid));
    return in_.store.write_state(state_);
  }

  const runtime& in_;
  const plan::launch_plan& plan_;
  store::state state_;
  heard process_;
};

} // namespace

result<process> create(const runtime& in, const std::string& id,
                       const create_options& options) {
  if (auto checked = checked_id(id); !checked)
    return fail(
      std::move(checked).error().during("invalid container ID format"));
  TROUPE_TRY(const auto from, read_bundle(options.bundle));
  TROUPE_CHECK(sys::make_private_directory(in.root));
  TROUPE_TRY(auto plan, compile(from, id, in.root, options.plan));
  TROUPE_CHECK(check_console(plan.process, options));
  const auto preserved = options.preserve_fds + pass_listen_fds(plan.process);
  TROUPE_CHECK(check_preserved(preserved));
  for (const auto& warning : plan.warnings)
    in.warn(warning);
  TROUPE_CHECK(in.store.prepare());
  TROUPE_TRY(const auto held, make_locked(in.store, id));
  creation making{in, plan};
  auto done = making.write_files(from.config);
  auto with = options;
  with.preserve_fds = preserved;
  if (done)
    done = making.launch(with);
  if (done && !options.pid_file.empty())
    done = write_pid_file(options.pid_file, making.made().pid);
  if (done)
    return std::move(making.made());
  making.abandon();
  (void)remove_locked(in.store, id); // The failure to report is the first.
  return fail(done.error());
}

} // namespace troupe::oci_runtime
