#pragma once

#include <CLI/CLI.hpp>

#include <string>

/// What every completion script needs of a command line, from its parser
/// itself.
namespace troupe::completion {

/// The long and short options of `command` as words.
inline std::string options_of(const CLI::App& command) {
  std::string out;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames())
      out += "--" + name + ' ';
    for (const auto& name : option->get_snames())
      out += "-" + name + ' ';
  }
  return out;
}

inline std::string commands_of(const CLI::App& app) {
  std::string out;
  for (const auto* command : app.get_subcommands({}))
    out += command->get_name() + ' ';
  return out;
}

/// The branches of bash's `case $command in` that set `words`, the first for no
/// command yet.
inline std::string bash_cases(const CLI::App& app) {
  auto out = "    '') words='" + commands_of(app) + options_of(app) + "' ;;\n";
  for (const auto* command : app.get_subcommands({}))
    out += "    " + command->get_name() + ") words='" + options_of(*command)
           + "' ;;\n";
  return out;
}

/// zsh runs the bash script.
inline std::string zsh_script(const std::string& bash_script) {
  return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script;
}

/// `ids` is the command that prints what the subcommands are about.
inline std::string fish_script(const CLI::App& app, const std::string& program,
                               const std::string& ids) {
  std::string out;
  for (const auto* command : app.get_subcommands({})) {
    out += "complete -c " + program + " -f -n __fish_use_subcommand -a "
           + command->get_name() + '\n';
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        out += "complete -c " + program + " -n '__fish_seen_subcommand_from "
               + command->get_name() + "' -l " + name + '\n';
  }
  return out + "complete -c " + program
         + " -f -n 'not __fish_use_subcommand' -a '(" + ids
         + " 2>/dev/null)'\n";
}

} // namespace troupe::completion
