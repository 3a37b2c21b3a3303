#include "programs/troupe/command.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace troupe;

namespace {

/// Takes everything from the first `--` on out of the command line.
void split_at_dashes(std::vector<std::string>& words, client::context& with) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes == words.end())
    return;
  with.after_dashes.emplace(dashes + 1, words.end());
  words.erase(dashes, words.end());
}

constexpr auto description
  = "Run and control containers through the troupe supervisor.";

constexpr auto footer
  = "Exit codes: the container's own for run, exec, start -a and wait; 125 "
    "when "
    "troupe or the\nsupervisor fails; 126 and 127 when the command cannot be "
    "executed or is not found; 128+N when\na signal N ended it.\n\n"
    "Environment: TROUPE_SOCKET is the supervisor's socket.\n"
    "See docs/api.md for the HTTP interface behind every command.";

int run(int argc, char** argv) {
  CLI::App app{description, "troupe"};
  client::context with;
  app.add_option("--socket", with.socket, "Where the supervisor listens")
    ->envname("TROUPE_SOCKET")
    ->capture_default_str();
  app.set_version_flag("-v,--version", "troupe " TROUPE_VERSION);
  app.require_subcommand(1);
  app.footer(footer);
  client::add_run_commands(app, with);
  client::add_exec_command(app, with);
  client::add_exec_session_commands(app, with);
  client::add_lifecycle_commands(app, with);
  client::add_update_command(app, with);
  client::add_show_commands(app, with);
  client::add_logs_command(app, with);
  client::add_events_command(app, with);
  client::add_stats_command(app, with);
  client::add_explain_command(app, with);
  client::add_host_commands(app, with);
  client::add_cluster_commands(app, with);
  client::add_node_commands(app, with);
  client::add_completion_command(app, with);
  client::add_node_option(app, with);
  if (argc == 1) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  }
  try {
    std::vector<std::string> words{argv + 1, argv + argc};
    split_at_dashes(words, with);
    client::join_session_verb(words);
    std::reverse(words.begin(), words.end()); // CLI11 takes them from the end
    app.parse(std::move(words));
    return with.action ? with.action() : 0;
  } catch (const CLI::ParseError& why) {
    const auto code = app.exit(why);
    return code == 0 ? 0 : client::exit_failure;
  }
}

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "troupe: %s\n", why.what());
    return client::exit_failure;
  }
}
