#pragma once

#include "config/oci/spec.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::test {

/// What validate() says of `spec`; "" if it is valid.
[[nodiscard]] std::string complaint(const oci::spec& spec);

/// What validate() says of the full document with `value` at `pointer`; if
/// `value` is `removed`, without that place.
[[nodiscard]] std::string complaint(const char* pointer,
                                    const nlohmann::json& value);

inline const nlohmann::json removed(nlohmann::json::value_t::discarded);

/// A change to the full document, and the complaint about it.
struct row {
  const char* pointer;
  nlohmann::json value;
  const char* what;
};

/// Fails for each row that has another complaint.
void check(const std::vector<row>& rows);

} // namespace troupe::test
