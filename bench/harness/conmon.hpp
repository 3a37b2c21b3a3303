#pragma once

#include "bench/harness/oci_cli.hpp"

#include <string>

namespace troupe::bench {

/// What logging one container's output has taken.
struct log_cost {
  double ms = 0;     ///< From its start until its log is complete.
  double cpu_ms = 0; ///< Of whoever wrote the log.
};

/// The CPU time of a process, dead and not reaped ones included, in ms:
/// /proc/PID/schedstat.
[[nodiscard]] result<double> cpu_ms_of(pid_t pid);

/// Runs `bundle` under a conmon of its own, as podman does, with a k8s-file log
/// in `directory` that is not rotated (conmon's rotation throws output away).
[[nodiscard]] result<log_cost>
log_with_conmon(runner& with, const oci_cli& runtime,
                const std::string& program, const std::string& root,
                const std::string& bundle, const std::string& directory);

} // namespace troupe::bench
