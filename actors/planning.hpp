#pragma once

#include "actors/messages_local.hpp"
#include "config/base/result.hpp"
#include "runtime/plan/host_facts.hpp"

/// The planner's work: from a request, by way of files, to a plan. Blocks on
/// those files, and for tens of milliseconds on a new seccomp profile.
namespace troupe {

[[nodiscard]] result<msg::compiled_launch>
plan_launch(const msg::compile_launch& x, const plan::host_facts& host);

/// Failures' pointers are those of the exec request: `/user`, `/cap_add/0`.
[[nodiscard]] result<msg::compiled_exec>
plan_exec(const msg::compile_exec& x, const plan::host_facts& host);

} // namespace troupe
