#pragma once

#include "config/base/result.hpp"

namespace troupe::sys {

/// Brings `lo` of the current network namespace up; the kernel then gives it
/// 127.0.0.1 and ::1 itself. netdevice(7).
[[nodiscard]] outcome bring_loopback_up();

} // namespace troupe::sys
