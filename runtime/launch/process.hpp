#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

/// The last part of every launch, container or exec session: from a process
/// that is where it shall be to the program that it shall be.
namespace troupe::launch {

/// Looks args[0] up as the program would be found at start: ENOENT, EACCES.
/// Nothing to look up is no failure here.
[[nodiscard]] outcome check_executable(const plan::process& process,
                                       progress& at);

/// Becomes the program; returns only to say why it did not.
[[nodiscard]] outcome become_process(const plan::process& process,
                                     const lines& with, progress& at);

/// The exit code of a process whose start failed so: the shell's 127 for a
/// program that is not there and 126 for one that cannot run, else 1.
[[nodiscard]] int exit_code(const progress& at, const failure& why) noexcept;

} // namespace troupe::launch
