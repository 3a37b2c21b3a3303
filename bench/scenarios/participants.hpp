#pragma once

#include "bench/harness/container_api.hpp"
#include "bench/harness/session.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

/// What several scenarios measure.
namespace troupe::bench {

inline const metric start_to_exit{"start to exit", "ms"};

// -- the ways to run /bin/true from create to removal -------------------------

/// Over an open connection. With `each_step`, the four requests for themselves
/// too.
[[nodiscard]] participant api_run(session& in, bool each_step);
[[nodiscard]] participant floor_run(session& in);
[[nodiscard]] participant oci_run(session& in, const oci_cli& runtime);
[[nodiscard]] participant troupe_run(session& in);

// -- doing nothing ------------------------------------------------------------

struct resting {
  const char* name;
  pid_t pid;
};

/// Adds what each of `who` uses of a CPU while nothing happens, and how often
/// it wakes up.
[[nodiscard]] outcome measure_rest(session& in, const std::string& condition,
                                   const std::vector<resting>& who,
                                   int seconds);

} // namespace troupe::bench
