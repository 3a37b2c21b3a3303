#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe::store {

/// Of what trouped keeps in ROOT and in STATE. To be raised when a trouped of
/// today could not read, or would misread, what is written from then on.
inline constexpr std::uint32_t layout_version = 1;

/// Writes the version into DIRECTORY/version, or refuses a directory of a later
/// one: what we cannot read is somebody's containers.
[[nodiscard]] outcome claim_layout(const std::string& directory);

} // namespace troupe::store
