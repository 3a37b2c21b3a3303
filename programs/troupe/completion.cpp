#include "programs/completion_words.hpp"
#include "programs/troupe/command.hpp"

#include <memory>

namespace troupe::client {

namespace {

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
  out += completion::bash_cases(app);
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
        print(completion::fish_script(app, "troupe", "troupe ps -aq"));
      else
        print(*shell == "zsh" ? completion::zsh_script(bash_script(app))
                              : bash_script(app));
      return 0;
    };
  });
}

} // namespace troupe::client
