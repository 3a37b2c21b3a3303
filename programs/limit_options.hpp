#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

/// The flags of `update`, by docker's and runc's names, for every program that
/// has one.
namespace troupe::cli {

struct limit_options {
  std::string file; ///< linux.resources as JSON, in the place of all flags.
  std::string memory;
  std::string reservation;
  std::string swap;
  std::string kernel_memory; ///< Without effect since Linux 5.16.
  std::string kernel_memory_tcp;
  oci::cpu_resources cpu;
  std::optional<double> cpus;
  std::optional<std::int64_t> pids;
  std::optional<std::uint16_t> block_weight;
};

void add_limit_options(CLI::App& to, limit_options& x);

/// What the flags say. A value that is no size is a failure that names its
/// flag.
[[nodiscard]] result<oci::resources> limits_of(const limit_options& x);

/// The text of `x.file`; `-` is stdin.
[[nodiscard]] result<std::string> read_limits(const limit_options& x);

} // namespace troupe::cli
