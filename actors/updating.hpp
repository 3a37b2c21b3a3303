#pragma once

#include "actors/messages_local.hpp"
#include "config/base/result.hpp"
#include "runtime/plan/host_facts.hpp"
#include "runtime/store/store.hpp"

#include <string>

namespace troupe {

/// What a change of limits starts from.
struct update_job {
  store::directory store{""};
  plan::host_facts host;
  msg::shared_plan now;
  std::string resources; ///< linux.resources, those that are to change: JSON.
};

/// Gives a living container the limits of `job.resources` on top of its own:
/// all, or none. Its plan and its config.json follow. Failures' pointers are
/// those of the request: `/memory/limit`. BLOCKS, for as long as the kernel
/// needs to reclaim what is above a lower limit.
[[nodiscard]] result<msg::shared_plan> update_limits(const update_job& job);

} // namespace troupe
