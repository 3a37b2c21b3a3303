#pragma once

#include "config/oci/spec.hpp"
#include "runtime/oci/bundle.hpp"
#include "runtime/oci/container.hpp"
#include "runtime/oci/launcher.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// The operations of runtime.md and what runc's command line adds to them. Each
/// is complete in itself: state on disk, lock, launcher, and the sentence that
/// clients match.
namespace troupe::oci_runtime {

/// Where containers are, and who is told what nobody has to act on.
struct runtime {
  std::string root; ///< Absolute.
  store::directory store{root};
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

struct create_options {
  std::string bundle; ///< "": the current directory.
  std::string pid_file;
  std::string console_socket;
  int preserve_fds = 0;
  plan_options plan;
  /// Whether somebody will be there to hold the container's terminal (`run`
  /// without --detach); its end of a connected stream socket, or -1.
  int console = -1;
};

/// runtime.md "Create". Our own stdin, stdout and stderr are the container's,
/// unless it has a terminal.
[[nodiscard]] result<process> create(const runtime& in, const std::string& id,
                                     const create_options& options);

struct run_options {
  create_options create;
  bool detach = false;
  bool keep = false; ///< Do not delete it when it has ended.
};

/// create and start; then, unless detached, stays until the program has ended
/// and deletes the container. The program's exit code.
[[nodiscard]] result<int> run(const runtime& in, const std::string& id,
                              const run_options& options);

struct exec_options {
  std::string process_file; ///< A `process` document instead of flags.
  std::vector<std::string> args;
  std::vector<std::string> env; ///< Added to the container's own.
  std::string cwd;
  std::string user; ///< UID[:GID]
  std::vector<std::string> additional_gids;
  std::vector<std::string> capabilities; ///< Added.
  bool no_new_privs = false;
  std::string apparmor;
  std::string process_label;
  std::vector<std::string> cgroups; ///< [CONTROLLER:]PATH below its own.
  bool ignore_paused = false;
  bool tty = false;
  bool detach = false;
  std::string console_socket;
  std::string pid_file;
  int preserve_fds = 0;
};

/// A further process in a container. Its exit code, or 0 once it runs detached.
[[nodiscard]] result<int> exec(const runtime& in, const std::string& id,
                               const exec_options& options);

/// runtime.md "Start".
[[nodiscard]] outcome start(const runtime& in, const std::string& id);

/// runtime.md "Kill"; `all`: every process in its cgroup.
[[nodiscard]] outcome kill(const runtime& in, const std::string& id, int signo,
                           bool all);

/// runtime.md "Delete"; `force`: kills it first, takes what is damaged, and
/// finds nothing wrong with what is not there.
[[nodiscard]] outcome remove(const runtime& in, const std::string& id,
                             bool force);

[[nodiscard]] outcome pause(const runtime& in, const std::string& id);
[[nodiscard]] outcome resume(const runtime& in, const std::string& id);

/// Changes limits of a living container; all of them, or none.
[[nodiscard]] outcome update(const runtime& in, const std::string& id,
                             oci::resources resources);

/// update's document, `linux.resources` of config.json.
[[nodiscard]] result<oci::resources> read_resources(const std::string& text);

} // namespace troupe::oci_runtime
