#pragma once

#include "runtime/linux/pidfd.hpp"
#include "runtime/shim/table.hpp"

#include <string>

/// How processes and launches end, in the words of replies and status frames.
namespace troupe::shim {

/// "exit code 1", "signal 9 (SIGKILL)".
[[nodiscard]] std::string describe(const sys::exit_status& status);

/// The shell's exit code of a process that could not be executed: 127 if there
/// is no such command, 126 for everything else.
[[nodiscard]] std::int32_t exit_code_of(const step_report& step);

[[nodiscard]] answer failed_answer(const launcher::report& why);

/// The status frame (frames.hpp) of an exited or failed process.
[[nodiscard]] std::string status_of(const record& of);

} // namespace troupe::shim
