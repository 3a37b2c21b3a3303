#pragma once

#include "bench/harness/container_api.hpp"
#include "bench/harness/session.hpp"

#include <memory>

/// The ways to run /bin/true from create to removal.
namespace troupe::bench {

inline const metric start_to_exit{"start to exit", "ms"};

/// Over an open connection. With `each_step`, the four requests for themselves
/// too.
[[nodiscard]] participant api_run(session& in, bool each_step);
[[nodiscard]] participant floor_run(session& in);
[[nodiscard]] participant oci_run(session& in, const oci_cli& runtime);
[[nodiscard]] participant troupe_run(session& in);

} // namespace troupe::bench
