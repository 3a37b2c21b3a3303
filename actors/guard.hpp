#pragma once

#include <caf/fwd.hpp>

namespace troupe {

/// What every actor of ours does first. CAF's defaults print to stdout: here an
/// unexpected message is logged and refused, and an exception in a handler ends
/// the actor with a failure that says what it was.
void guard(caf::scheduled_actor* self);

} // namespace troupe
