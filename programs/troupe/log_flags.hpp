#pragma once

#include "config/log_choice.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace troupe::client {

/// docker's `--log-driver` and `--log-opt`.
struct log_flags {
  std::string driver;
  std::vector<std::string> options; ///< `KEY=VALUE`

  void add_to(CLI::App& command);
  [[nodiscard]] result<log_choice> choice() const;
};

} // namespace troupe::client
