#pragma once

#include "runtime/oci/container.hpp"

#include <chrono>
#include <functional>
#include <string>

/// `events`: counters and OOM notices, in runc's shapes.
namespace troupe::oci_runtime {

/// `{"type":"stats","id":ID,"data":{...}}` in one line. Counters that this host
/// does not have are left out.
[[nodiscard]] result<std::string> stats_event(const container& x);

/// Hands `stats_event` to `tell` every `interval`, and `{"type":"oom",...}` at
/// each OOM, until the container has ended.
[[nodiscard]] outcome
watch_events(const container& x, std::chrono::milliseconds interval,
             const std::function<void(std::string)>& tell);

} // namespace troupe::oci_runtime
