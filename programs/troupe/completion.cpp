#include "programs/troupe/command.hpp"

#include <memory>

namespace troupe::client {

namespace {

/// The long and short options of `command` as words.
std::string options_of(const CLI::App& command) {
  std::string out;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames())
      out += "--" + name + ' ';
    for (const auto& name : option->get_snames())
      out += "-" + name + ' ';
  }
  return out;
}

std::string commands_of(const CLI::App& app) {
  std::string out;
  for (const auto* command : app.get_subcommands({}))
    out += command->get_name() + ' ';
  return out;
}

/// Options by command from the parser itself; ids from the supervisor.
std::string bash_script(const CLI::App& app) {
  std::string out = "_troupe() {\n"
                    "  local word=${COMP_WORDS[COMP_CWORD]} command= i\n"
                    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "    case ${COMP_WORDS[i]} in\n"
                    "      --socket) ((i++)) ;;\n"
                    "      -*) ;;\n"
                    "      *) command=${COMP_WORDS[i]}; break ;;\n"
                    "    esac\n"
                    "  done\n"
                    "  local words=\n"
                    "  case $command in\n";
  out += "    '') words='" + commands_of(app) + options_of(app) + "' ;;\n";
  for (const auto* command : app.get_subcommands({}))
    out += "    " + command->get_name() + ") words='" + options_of(*command)
           + "' ;;\n";
  out += "  esac\n"
         "  if [[ $word != -* && -n $command ]]; then\n"
         "    case $command in\n"
         "      run | create | explain) COMPREPLY=($(compgen -d -- \"$word\"));"
         " return ;;\n"
         "      *) words=$(troupe ps -aq 2>/dev/null) ;;\n"
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -F _troupe troupe\n";
  return out;
}

std::string zsh_script(const CLI::App& app) {
  return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(app);
}

std::string fish_script(const CLI::App& app) {
  std::string out;
  for (const auto* command : app.get_subcommands({})) {
    out += "complete -c troupe -f -n __fish_use_subcommand -a "
           + command->get_name() + '\n';
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        out += "complete -c troupe -n '__fish_seen_subcommand_from "
               + command->get_name() + "' -l " + name + '\n';
  }
  return out
         + "complete -c troupe -f -n 'not __fish_use_subcommand' -a "
           "'(troupe ps -aq 2>/dev/null)'\n";
}

} // namespace

void add_completion_command(CLI::App& app, context& with) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand(
    "completion", "Print a completion script: source <(troupe completion "
                  "bash)");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
    ->required()
    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&with, &app, shell] {
    with.action = [&app, shell] {
      if (*shell == "fish")
        print(fish_script(app));
      else
        print(*shell == "zsh" ? zsh_script(app) : bash_script(app));
      return 0;
    };
  });
}

} // namespace troupe::client
