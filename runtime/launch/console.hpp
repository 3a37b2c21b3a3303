#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

/// The terminal of a process (config.md, "Process": terminal, consoleSize): the
/// caller gets its master over lines.console, the program its slave as 0, 1, 2.
namespace troupe::launch {

/// A terminal needs somebody to hold its master, and only a terminal does.
[[nodiscard]] outcome check_console(const plan::process& process,
                                    const lines& with, progress& at);

/// Makes the terminal in the devpts of the container whose root is `root` and
/// sends its master away. Returns the slave; invalid if `process` has none.
[[nodiscard]] result<sys::unique_fd> open_console(const plan::process& process,
                                                  const lines& with, int root,
                                                  progress& at);

/// Puts the slave on the container's /dev/console: by descriptors alone, and
/// never through a symlink (CVE-2025-52565).
[[nodiscard]] outcome place_console(int slave, int root, progress& at);

} // namespace troupe::launch
