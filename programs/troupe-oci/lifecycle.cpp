#include "config/base/signal_number.hpp"
#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

struct create_arguments {
  std::string id;
  oci_runtime::create_options options;
};

void add_create_options(CLI::App& to, create_arguments& x) {
  to.add_option("-b,--bundle", x.options.bundle,
                "Directory with config.json; else the current one");
  to.add_option("--console-socket", x.options.console_socket,
                "Unix stream socket that gets the terminal's master");
  to.add_option("--pid-file", x.options.pid_file,
                "Where the pid of the container's init is written");
  to.add_option("--preserve-fds", x.options.preserve_fds,
                "So many descriptors from 3 on are the container's too")
    ->check(CLI::NonNegativeNumber)
    ->capture_default_str();
  to.add_flag("--no-pivot", x.options.plan.no_pivot,
              "chroot instead of pivot_root: for a root in an initramfs");
  to.add_flag("--no-new-keyring", x.options.plan.no_new_keyring,
              "Keep the caller's session keyring");
  add_id(to, x.id);
}

oci_runtime::create_options options_of(const context& with,
                                       const create_arguments& x) {
  auto out = x.options;
  out.plan.no_cgroup = with.cgroup_manager == "disabled";
  out.plan.systemd_cgroup = with.systemd_cgroup
                            || with.cgroup_manager == "systemd";
  return out;
}

void add_create(CLI::App& app, context& with) {
  auto made = add_command<create_arguments>(
    app, "create", "Create a container from a bundle",
    "Everything is made: namespaces, mounts, cgroups. The container's program "
    "does not run\nyet: its init waits for `start`. stdin, stdout and stderr "
    "become the container's.\nA container whose process has a terminal needs "
    "--console-socket.\n\nExample:\n"
    "  troupe-oci create --bundle /srv/web --pid-file /run/web.pid web");
  add_create_options(*made.app, *made.arguments);
  made.does(
    with,
    [](context& in, const create_arguments& x) -> result<int> {
      in.failure_prefix = "troupe-oci create failed: ";
      TROUPE_CHECK(oci_runtime::create(in.runtime(), x.id, options_of(in, x)));
      return 0;
    },
    true);
}

struct run_arguments {
  create_arguments create;
  bool detach = false;
  bool keep = false;
  bool no_subreaper = false; ///< Accepted: only init is waited for.
};

void add_run(CLI::App& app, context& with) {
  auto made = add_command<run_arguments>(
    app, "run", "Create and start a container, and wait for its end",
    "Signals are handed on to the program, whose exit code becomes ours; then "
    "the container\nis deleted. A terminal is carried to ours.\n\nExamples:\n"
    "  troupe-oci run --bundle /srv/web web\n"
    "  troupe-oci run --detach --pid-file /run/web.pid web");
  auto& x = *made.arguments;
  add_create_options(*made.app, x.create);
  made.app->add_flag("-d,--detach", x.detach, "Leave once the program runs");
  made.app->add_flag("--keep", x.keep,
                     "Do not delete the container afterwards");
  made.app->add_flag("--no-subreaper", x.no_subreaper,
                     "Accepted and not needed");
  made.does(
    with,
    [](context& in, const run_arguments& args) -> result<int> {
      in.failure_prefix = "troupe-oci run failed: ";
      return oci_runtime::run(
        in.runtime(), args.create.id,
        {options_of(in, args.create), args.detach, args.keep});
    },
    true);
}

void add_start(CLI::App& app, context& with) {
  auto made = add_command<one_container>(
    app, "start", "Run the program of a created container",
    "Returns once the program has been executed and the poststart hooks have "
    "run.\n\nExample:\n  troupe-oci start web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) {
    return done(oci_runtime::start(in.runtime(), x.id));
  });
}

struct kill_arguments {
  std::string id;
  std::string signal = "SIGTERM";
  bool all = false;
};

void add_kill(CLI::App& app, context& with) {
  auto made = add_command<kill_arguments>(
    app, "kill", "Send a signal to a container's init",
    "SIGNAL is a number or a name, with or without SIG, in any "
    "case.\n\nExamples:\n"
    "  troupe-oci kill web\n  troupe-oci kill web KILL\n"
    "  troupe-oci kill --all web 9");
  add_id(*made.app, made.arguments->id);
  made.app->add_option("SIGNAL", made.arguments->signal, "Number or name")
    ->capture_default_str();
  made.app->add_flag("-a,--all", made.arguments->all,
                     "Every process in the container's cgroup");
  made.does(with, [](context& in, const kill_arguments& x) -> result<int> {
    TROUPE_TRY(const auto signo, signal_number(x.signal));
    return done(oci_runtime::kill(in.runtime(), x.id, signo, x.all));
  });
}

struct delete_arguments {
  std::string id;
  bool force = false;
};

void add_delete(CLI::App& app, context& with) {
  auto made = add_command<delete_arguments>(
    app, "delete", "Remove a stopped container and all that it holds",
    "Kills what is left in its cgroups, removes these, and runs the poststop "
    "hooks. The\nbundle stays. With --force a container that does not exist "
    "is no error, and one whose\nfiles are damaged is removed as far as it "
    "can be found.\n\nExamples:\n  troupe-oci delete web\n"
    "  troupe-oci delete --force web");
  add_id(*made.app, made.arguments->id);
  made.app->add_flag("-f,--force", made.arguments->force,
                     "Kill it first if it runs");
  made.does(with, [](context& in, const delete_arguments& x) {
    return done(oci_runtime::remove(in.runtime(), x.id, x.force));
  });
}

} // namespace

void add_lifecycle_commands(CLI::App& app, context& with) {
  add_create(app, with);
  add_run(app, with);
  add_start(app, with);
  add_kill(app, with);
  add_delete(app, with);
}

} // namespace troupe::oci_cli
