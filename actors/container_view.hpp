#pragma once

#include "actors/messages.hpp"
#include "runtime/cgroup/oom.hpp"
#include "runtime/linux/kernel_log.hpp"
#include "runtime/plan/launch_plan.hpp"
#include "runtime/shim/protocol/messages.hpp"
#include "runtime/store/store.hpp"

#include <string_view>

/// A container as others see it: its snapshot, its state on disk, its events.
namespace troupe {

/// What is kept on disk of a snapshot.
[[nodiscard]] store::state state_of(const msg::snapshot& x);

/// The snapshot of a container found on disk.
[[nodiscard]] msg::snapshot snapshot_of(const store::state& x,
                                        const plan::launch_plan& plan);

/// Fills in what the plan says about the container.
void describe(msg::snapshot& x, const plan::launch_plan& plan);

/// Fills in how its log and its clients are doing. True if that is news.
bool note_output(msg::output_counters& x, const shim::record& from);

/// msg::event::once of `type` of the container `id` that was created then.
[[nodiscard]] std::string once_of(const std::string& id, time_ns created,
                                  std::string_view type);

/// `type` of container `x` at `time`, once: appended again after a crash, it is
/// the same event. `n` tells the ones of a type apart.
[[nodiscard]] msg::event event_of(const msg::snapshot& x, std::string_view type,
                                  time_ns time, std::int64_t n = 0);

/// The newest of its OOM kills: who ran out, and, where the kernel tells, the
/// victim.
[[nodiscard]] msg::event oom_event_of(const msg::snapshot& x, time_ns time,
                                      const cgroup::oom_origin& origin,
                                      const sys::oom_report* told);

/// `type` of container `x` now, as often as it happens.
[[nodiscard]] msg::event repeatable_event_of(const msg::snapshot& x,
                                             std::string_view type);

} // namespace troupe
