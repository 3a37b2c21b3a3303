#pragma once

#include "runtime/launch/attributes.hpp"
#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

/// The last part of every launch, container or exec session: from a process
/// that is where it shall be to the program that it shall be.
namespace troupe::launch {

/// What was made ready for the program while it could be.
struct prepared {
  sys::unique_fd terminal; ///< The slave; invalid without a terminal.
  label_files labels;
  sys::unique_fd listener;   ///< Connected to the filter's listener.
  std::string process_state; ///< What the listener gets to read.
};

/// What of the program can be done or known before its start: a terminal
/// becomes the stdio now (whoever waits for the end of the caller's pipes gets
/// it), limits that would be refused are, and args[0] is looked up as it will
/// be found: ENOENT, EACCES. Nothing to look up is no failure here.
[[nodiscard]] outcome make_ready(const plan::process& process,
                                 const lines& with, const prepared& ready,
                                 progress& at);

/// Becomes the program; returns only to say why it did not.
[[nodiscard]] outcome become_process(const plan::process& process,
                                     const lines& with, const prepared& ready,
                                     progress& at);

/// The exit code of a process whose start failed so: the shell's 127 for a
/// program that is not there and 126 for one that cannot run, else 1.
[[nodiscard]] int exit_code(const progress& at, const failure& why) noexcept;

} // namespace troupe::launch
