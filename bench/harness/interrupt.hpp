#pragma once

#include "config/base/result.hpp"

namespace troupe::bench {

/// SIGINT, SIGTERM and SIGHUP from now on only ask for the end: what was made
/// has to be taken away first.
void catch_signals();

/// A failure once the end was asked for. Asked between any two samples.
[[nodiscard]] outcome check_interrupt();

} // namespace troupe::bench
