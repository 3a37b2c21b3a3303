#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

struct exec_arguments {
  std::string id;
  oci_runtime::exec_options options;
};

constexpr auto exec_failed = 255;

void add_process_options(CLI::App& to, oci_runtime::exec_options& x) {
  to.add_option("-p,--process", x.process_file,
                "File with the process as JSON, instead of CMD and the "
                "options about it");
  to.add_option("-e,--env", x.env, "NAME=VALUE, added to the container's own")
    ->allow_extra_args(false);
  to.add_option("--cwd", x.cwd, "Working directory");
  to.add_option("-u,--user", x.user, "UID[:GID]");
  to.add_option("-g,--additional-gids", x.additional_gids,
                "Further group, by number")
    ->allow_extra_args(false);
  to.add_option("-c,--cap", x.capabilities, "CAP_NAME, added")
    ->allow_extra_args(false);
  to.add_flag("--no-new-privs", x.no_new_privs, "execve grants no privileges");
  to.add_option("--apparmor", x.apparmor, "AppArmor profile");
  to.add_option("--process-label", x.process_label, "SELinux label");
}

void add_session_options(CLI::App& to, oci_runtime::exec_options& x) {
  to.add_flag("-d,--detach", x.detach, "Leave once the command runs");
  to.add_flag("-t,--tty", x.tty, "Give it a terminal");
  to.add_option("--console-socket", x.console_socket,
                "Unix stream socket that gets the terminal's master");
  to.add_option("--pid-file", x.pid_file, "Where the pid is written");
  to.add_option("--preserve-fds", x.preserve_fds,
                "So many descriptors from 3 on are the command's too")
    ->check(CLI::NonNegativeNumber)
    ->capture_default_str();
  to.add_option("--cgroup", x.cgroups,
                "[CONTROLLER:]PATH of an existing cgroup below the container's")
    ->allow_extra_args(false);
  to.add_flag("--ignore-paused", x.ignore_paused,
              "Go on if the container is paused");
}

} // namespace

void add_exec_command(CLI::App& app, context& with) {
  auto made = add_command<exec_arguments>(
    app, "exec", "Run a further command in a container",
    "troupe-oci exec [OPTIONS] CONTAINER CMD [ARG...]\n\nEverything after "
    "CONTAINER belongs to the command. Its exit code becomes ours; 255 is a\n"
    "failure of ours.\n\nExamples:\n  troupe-oci exec web ps\n"
    "  troupe-oci exec -t -e TERM=xterm web sh\n"
    "  troupe-oci exec --process process.json --detach web");
  auto& x = *made.arguments;
  add_process_options(*made.app, x.options);
  add_session_options(*made.app, x.options);
  add_id(*made.app, x.id);
  made.does(
    with,
    [](context& in, const exec_arguments& args) {
      in.failure_prefix = "exec failed: ";
      in.failure_code = exec_failed;
      auto options = args.options;
      options.args = in.rest;
      return oci_runtime::exec(in.runtime(), args.id, options);
    },
    true);
}

} // namespace troupe::oci_cli
