#pragma once

#include "config/base/result.hpp"
#include "programs/troupe/api_client.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::client {

/// Exit codes, as docker's and podman's.
inline constexpr int exit_failure = 125;
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_not_found = 127;

/// What every command shares. `action` is set by the one that was chosen.
struct context {
  std::string socket = "/run/troupe/trouped.sock";
  std::string node; ///< `--node`; empty: the supervisor's own.
  std::function<int()> action;
  /// What follows the first `--`: never parsed as options.
  std::optional<std::vector<std::string>> after_dashes;

  [[nodiscard]] api_client api() const {
    return api_client{socket, node};
  }
};

/// The words of a command line that ends in somebody else's: what `command` did
/// not take, then what follows `--`. A `--` behind more than `own` words of
/// ours belongs to the command itself. An unknown option in front is a failure.
[[nodiscard]] result<std::vector<std::string>>
words_of(const context& with, const CLI::App& command, std::size_t own);

/// Prints `troupe: …` on stderr and returns the exit code that fits.
int complain(const failure& why);

/// `/v1/containers/ID` + `rest`; of `NODE/ID`, that node's.
[[nodiscard]] std::string container_path(const std::string& id,
                                         const std::string& rest = {});

/// Adds `--format`, one of `allowed`; the first is the default.
void add_format(CLI::App& to, std::string& format,
                const std::vector<std::string>& allowed = {"table", "json"});

/// Prints text, or a JSON document with indentation on a terminal.
void print(const std::string& text);
void print(const nlohmann::json& document);

/// Does `one` for each of `ids`; goes on after failures. The exit code.
int for_each(const std::vector<std::string>& ids,
             const std::function<outcome(const std::string&)>& one);

/// The same for what prints something else than the id.
int show_each(const std::vector<std::string>& ids,
              const std::function<outcome(const std::string&)>& one);

/// A member of an answer in a cell of a table; `-` if it is absent or null.
[[nodiscard]] std::string member_text(const nlohmann::json& of,
                                      const char* key);

/// The `args` of a container or session in one line.
[[nodiscard]] std::string command_line(const nlohmann::json& of);

/// `10`, `1.5s`, `500ms`, `2m`: seconds if there is no unit.
[[nodiscard]] result<double> parse_seconds(const std::string& text);

void add_run_commands(CLI::App& app, context& with);          // run … attach
void add_exec_command(CLI::App& app, context& with);          // exec
void add_exec_session_commands(CLI::App& app, context& with); // exec ls …
/// `exec ls` as the one word that it is to the parser.
void join_session_verb(std::vector<std::string>& words);
void add_lifecycle_commands(CLI::App& app, context& with); // kill stop … rm
void add_update_command(CLI::App& app, context& with);
void add_show_commands(CLI::App& app, context& with); // ps inspect top
void add_host_commands(CLI::App& app, context& with); // info version shutdown
void add_node_commands(CLI::App& app, context& with); // nodes
/// `--node` for all that are there.
void add_node_option(CLI::App& app, context& with);
void add_cluster_commands(CLI::App& app, context& with); // init-ca issue-cert …
void add_logs_command(CLI::App& app, context& with);
void add_events_command(CLI::App& app, context& with);
void add_stats_command(CLI::App& app, context& with);
void add_explain_command(CLI::App& app, context& with);
void add_completion_command(CLI::App& app, context& with);

} // namespace troupe::client
