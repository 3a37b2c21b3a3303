#pragma once

#include "config/settings.hpp"

namespace troupe {

/// Makes spdlog write to stderr, at the level and in the format of `from`: text
/// lines, or one JSON object a line.
void start_logging(const settings& from);

} // namespace troupe
