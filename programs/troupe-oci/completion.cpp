#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

struct completion_arguments {
  std::string shell;
};

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

/// Words from the parser itself; ids from `list`, of the same root.
std::string bash_script(const CLI::App& app) {
  std::string cases;
  for (const auto* command : app.get_subcommands({}))
    cases += "    " + command->get_name() + ") words='" + options_of(*command)
             + "' ;;\n";
  return R"(_troupe_oci() {
  local word=${COMP_WORDS[COMP_CWORD]} command= i root=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --root) root=(--root "${COMP_WORDS[++i]}") ;;
      --log | --log-format | --criu | --rootless | --cgroup-manager) ((i++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  local words=
  case $command in
    '') words=')"
         + commands_of(app) + options_of(app) + "' ;;\n" + cases + R"(  esac
  if [[ $word != -* && -n $command ]]; then
    case ${COMP_WORDS[COMP_CWORD - 1]} in
      -b | --bundle) COMPREPLY=($(compgen -d -- "$word")); return ;;
      -p | --process | --pid-file | -r | --resources | --console-socket)
        COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    words=$(troupe-oci "${root[@]}" list -q 2>/dev/null)
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _troupe_oci troupe-oci
)";
}

std::string fish_script(const CLI::App& app) {
  std::string out;
  for (const auto* command : app.get_subcommands({})) {
    out += "complete -c troupe-oci -f -n __fish_use_subcommand -a "
           + command->get_name() + '\n';
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        out += "complete -c troupe-oci -n '__fish_seen_subcommand_from "
               + command->get_name() + "' -l " + name + '\n';
  }
  return out
         + "complete -c troupe-oci -f -n 'not __fish_use_subcommand' -a "
           "'(troupe-oci list -q 2>/dev/null)'\n";
}

} // namespace

void add_completion_command(CLI::App& app, context& with) {
  auto made = add_command<completion_arguments>(
    app, "completion", "Print a completion script",
    "Example:\n  source <(troupe-oci completion bash)");
  made.app->add_option("SHELL", made.arguments->shell, "bash, zsh or fish")
    ->required()
    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  made.does(with,
            [&app](context&, const completion_arguments& x) -> result<int> {
              const auto* zsh = "autoload -U +X bashcompinit && bashcompinit\n";
              print(x.shell == "fish"  ? fish_script(app)
                    : x.shell == "zsh" ? zsh + bash_script(app)
                                       : bash_script(app));
              return 0;
            });
}

} // namespace troupe::oci_cli
