#pragma once

#include <string>
#include <vector>

namespace troupe::bench {

/// What troupe-bench was asked for.
struct options {
  std::vector<std::string> scenarios; ///< Empty: all.
  std::vector<std::string> peers{"runc", "crun", "podman", "containerd"};
  std::string out;    ///< Directory for json, csv and svg; "": none.
  bool quick = false; ///< Few rounds: whether it runs, not how fast.
  bool list = false;
  bool progress = false;            ///< On stderr, even if that is no terminal.
  std::vector<std::string> compare; ///< Two reports.

  [[nodiscard]] bool wants_peer(const std::string& name) const;
};

/// What a command line comes to: options, or the end of the program.
struct parsed {
  options with;
  int exit_code = -1; ///< -1: go on.
  std::string said;   ///< For stdout (exit code 0) or stderr.
};

/// `known`: the scenarios' names. argv[0] is not among `words`.
[[nodiscard]] parsed parse_options(std::vector<std::string> words,
                                   const std::vector<std::string>& known);

} // namespace troupe::bench
