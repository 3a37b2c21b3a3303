#pragma once

#include "programs/troupe-oci/log.hpp"
#include "runtime/oci/operations.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::oci_cli {

inline constexpr auto program = "troupe-oci";

/// What a command is called for, once its words are parsed: the exit code, or
/// why not.
using action = std::function<result<int>()>;

/// What every command shares.
struct context {
  std::string root;
  std::string log_path;
  std::string log_format = "text";
  bool debug = false;
  bool systemd_cgroup = false;
  std::string cgroup_manager = "cgroupfs";
  std::string rootless = "auto"; ///< Accepted: we look for ourselves.
  std::string criu = "criu";     ///< Accepted: see checkpoint.

  oci_cli::log log;
  /// Of exec and ps: what follows the container's id, never parsed here.
  std::vector<std::string> rest;
  oci_cli::action action;
  /// In front of a failure's text: "exec failed: ".
  std::string failure_prefix;
  int failure_code = 1;
  /// A process of this program will be seen from inside of a container.
  bool enters_containers = false;

  [[nodiscard]] oci_runtime::runtime runtime();
};

/// A command of `app` whose arguments are a `T`, filled in before `act` runs.
template <class T>
struct command {
  CLI::App* app;
  std::shared_ptr<T> arguments = std::make_shared<T>();

  void does(context& with, std::function<result<int>(context&, const T&)> act,
            bool enters_containers = false) {
    app->callback(
      [&with, args = arguments, act = std::move(act), enters_containers] {
        with.enters_containers = enters_containers;
        with.action = [&with, args, act] { return act(with, *args); };
      });
  }
};

template <class T>
command<T> add_command(CLI::App& app, const char* name, const char* what,
                       const char* more) {
  auto* made = app.add_subcommand(name, what);
  made->footer(more);
  return {made};
}

/// A command about one container and nothing else.
struct one_container {
  std::string id;
};

/// Adds the positional CONTAINER.
void add_id(CLI::App& to, std::string& id);

/// `outcome` as an exit code.
[[nodiscard]] result<int> done(const outcome& how);

/// To stdout, whole.
void print(const std::string& text);

void add_lifecycle_commands(CLI::App& app, context& with);
void add_look_commands(CLI::App& app, context& with);
void add_exec_command(CLI::App& app, context& with);
void add_resource_commands(CLI::App& app, context& with);
void add_document_commands(CLI::App& app, context& with);
void add_checkpoint_commands(CLI::App& app, context& with);
void add_completion_command(CLI::App& app, context& with);

} // namespace troupe::oci_cli
