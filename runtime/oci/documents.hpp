#pragma once

#include "runtime/oci/container.hpp"

#include <string>
#include <vector>

/// What is printed about containers, in runc's shapes.
namespace troupe::oci_runtime {

/// runtime.md "Query State", with runc's rootfs, created and owner.
[[nodiscard]] std::string state_text(const container& x);

/// `list --format json`: an array of the same in one line, owners by name.
[[nodiscard]] std::string list_json(const std::vector<listed>& xs);

/// `list`: a table.
[[nodiscard]] std::string list_table(const std::vector<listed>& xs);

} // namespace troupe::oci_runtime
