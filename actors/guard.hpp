#pragma once

#include <caf/fwd.hpp>

namespace troupe {

/// What every actor of ours does first. CAF's defaults print to stdout: here an
/// unexpected message is logged and refused, an exception in a handler ends the
/// actor with a failure that says what it was, and an exit message ends it
/// whatever its reason (CAF passes over `normal`).
void guard(caf::scheduled_actor* self);

} // namespace troupe
