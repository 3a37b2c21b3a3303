#pragma once

#include "config/base/failure.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp> // for CAF_ERROR_CODE_ENUM

CAF_ERROR_CODE_ENUM(troupe::fault, "troupe")

namespace troupe {

/// Carries a failure across a mailbox. The one place where the runtime's error
/// type becomes CAF's.
[[nodiscard]] caf::error to_caf(failure why);

/// And back: CAF's own errors become `timed_out` (request_timeout),
/// `destroyed` (request_receiver_down) or `os` with their text.
[[nodiscard]] failure from_caf(const caf::error& why);

} // namespace troupe
