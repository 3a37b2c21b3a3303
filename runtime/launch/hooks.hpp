#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

#include <span>
#include <string>

/// Running OCI hooks (runtime-spec config.md, "POSIX-platform Hooks"): each is
/// a child of the calling process, has the state document as its stdin, exactly
/// its own environment, and its own session, so that a time-out ends it with
/// everything it started.
namespace troupe::launch {

/// Runs one hook and waits for it. Failure: `PATH: exit code 1: end of its
/// output`, ETIMEDOUT after its time-out. `cwd` is its working directory.
[[nodiscard]] outcome run_hook(const plan::hook& hook, const std::string& state,
                               const std::string& cwd);

/// Runs `hooks` in order until one fails; `at` tells which.
[[nodiscard]] outcome run_hooks(std::span<const plan::hook> hooks,
                                plan::phase phase, const std::string& state,
                                const std::string& cwd, progress& at);

/// Runs the poststop hooks, all of them; failures become warnings on
/// `report_line`.
void run_poststop(const plan::launch_plan& plan, int report_line);

} // namespace troupe::launch
