#pragma once

#include "runtime/launch/progress.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>

/// Classes of service and monitoring groups: kernel
/// Documentation/arch/x86/resctrl.rst, runtime-spec config-linux.md "IntelRdt".
namespace troupe::launch {

/// Whether the `schemata` file of a group already says what `line` asks for, as
/// far as it asks: `L3:0=7f` about cache 0 alone, leading zeros apart.
[[nodiscard]] bool says(std::string_view schemata, std::string_view line);

/// Makes or checks the plan's group. True: its directory is new.
[[nodiscard]] result<bool> prepare_resctrl(const plan::launch_plan& plan,
                                           progress& at);

/// Puts process `pid` of container `id` into the group, before it can have
/// children, which inherit it: init, and the launcher of an exec session.
[[nodiscard]] outcome enter_resctrl(const plan::intel_rdt& group,
                                    const std::string& id, pid_t pid,
                                    progress& at);

/// Removes what the container had for itself: its monitoring group, and its
/// class unless the configuration names it. `made`: the class in any case, for
/// a launch that has made it and failed. What is not there is removed.
[[nodiscard]] outcome remove_resctrl(const plan::launch_plan& plan, bool made);

} // namespace troupe::launch
