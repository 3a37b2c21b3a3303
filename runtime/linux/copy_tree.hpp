#pragma once

#include "config/base/result.hpp"

namespace troupe::sys {

/// Copies what is in directory `from` into directory `to` (both readable, not
/// O_PATH): directories, regular files, symlinks, fifos and device nodes with
/// mode and owner. Symlinks are copied, never followed; mounts below `from` are
/// not crossed into. For tmpcopyup.
[[nodiscard]] outcome copy_tree(int from, int to);

} // namespace troupe::sys
