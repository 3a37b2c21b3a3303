#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace troupe::oci_cli {

/// A command line as CLI11 reads it.
struct command_line {
  std::vector<std::string> words;
  std::vector<std::string> rest; ///< Not ours: the command of exec, of ps.
  std::string unknown;           ///< What stands where a command should.
};

/// Brings what Go's flag package reads to what CLI11 reads: long flags with one
/// dash (`-no-subreaper`) get their second, and for exec and ps all that
/// follows the first positional is set aside.
[[nodiscard]] command_line prepare(const CLI::App& app,
                                   const std::vector<std::string>& words);

} // namespace troupe::oci_cli
