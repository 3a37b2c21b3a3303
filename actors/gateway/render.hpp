#pragma once

#include "actors/cluster/messages.hpp"
#include "actors/interfaces.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

/// What the actors know, as the JSON that docs/api.md describes. One object or
/// array each, without a newline.
namespace troupe::gateway {

[[nodiscard]] std::string render(const msg::snapshot& x);
[[nodiscard]] std::string render(const msg::done& x);
[[nodiscard]] std::string render(const msg::exec_snapshot& x);
[[nodiscard]] std::string render(const msg::stats& x);
[[nodiscard]] std::string render(const msg::usage_table& x);
[[nodiscard]] std::string render(const msg::process_list& x);
[[nodiscard]] std::string render(const msg::event& x);
[[nodiscard]] std::string render(const msg::host_info& x);
[[nodiscard]] std::string render(const msg::nodes& x);
[[nodiscard]] std::string render(const msg::placed& x);

[[nodiscard]] std::string render_version();

/// In Prometheus' text format 0.0.4, by cAdvisor's names.
[[nodiscard]] std::string render_metrics(const msg::usage_table& x,
                                         const msg::snapshots& all);

/// `output` of a container, a session, and statistics.
[[nodiscard]] nlohmann::json counters(const msg::output_counters& x);

/// Bytes from a process or a file need not be UTF-8; JSON must be.
[[nodiscard]] std::string dump(const nlohmann::json& x);

} // namespace troupe::gateway
