#pragma once

#include "runtime/oci/container.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// A container's processes.
namespace troupe::oci_runtime {

/// As the host numbers them.
[[nodiscard]] result<std::vector<pid_t>> processes(const container& x);

/// `[17,42]`
[[nodiscard]] std::string pids_json(const std::vector<pid_t>& pids);

/// ps(1)'s table (`-ef` without options), of them alone.
[[nodiscard]] result<std::string>
process_table(const container& x, const std::vector<std::string>& options);

/// The heading of a table with a column PID, and the lines of `pids`.
[[nodiscard]] result<std::string> lines_of(std::string_view table,
                                           const std::vector<pid_t>& pids);

} // namespace troupe::oci_runtime
