#include "programs/completion_words.hpp"
#include "programs/troupe-oci/command.hpp"

namespace troupe::oci_cli {

namespace {

struct completion_arguments {
  std::string shell;
};

/// Words from the parser itself; ids from `list`, of the same root.
std::string bash_script(const CLI::App& app) {
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
)" + completion::bash_cases(app)
         + R"(  esac
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
              using namespace completion;
              print(x.shell == "fish"
                      ? fish_script(app, "troupe-oci", "troupe-oci list -q")
                    : x.shell == "zsh" ? zsh_script(bash_script(app))
                                       : bash_script(app));
              return 0;
            });
}

} // namespace troupe::oci_cli
