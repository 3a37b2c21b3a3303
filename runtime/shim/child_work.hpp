#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/spare.hpp"
#include "runtime/shim/children.hpp"

#include <sys/types.h>
#include <vector>

/// What the shim's forked children do: each decodes its plan from the sealed
/// memfd `plan` and has runtime/launch carry it out. They return the exit code;
/// a plan that cannot be read is reported on the line like a failing step.
namespace troupe::shim {

[[nodiscard]] int create_work(int plan, const launcher::lines& with,
                              launcher::spare& own);
[[nodiscard]] int exec_work(int plan, const launcher::lines& with, int target,
                            bool ignore_paused);
[[nodiscard]] int teardown_work(int plan, int line);
[[nodiscard]] int poststart_work(int plan, int line, pid_t pid);

/// Ahead of create_work and exec_work: makes `what` the descriptors from 3 on,
/// which the program gets; those that are in the way get other numbers.
[[nodiscard]] outcome preserve(const std::vector<sys::unique_fd>& what,
                               int& plan, int& target, launcher::lines& with);

} // namespace troupe::shim
