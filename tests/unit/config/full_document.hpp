#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace troupe::test {

/// A config.json that has every property of runtime-spec 1.3 for Linux once,
/// none with its default value, and is valid.
[[nodiscard]] const nlohmann::json& full_document();

/// The JSON pointer of every place in `document`, the whole one ("") excepted.
[[nodiscard]] std::vector<std::string>
places_of(const nlohmann::json& document);

} // namespace troupe::test
