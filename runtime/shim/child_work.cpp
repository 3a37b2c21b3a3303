#include "runtime/shim/child_work.hpp"

#include "runtime/launch/progress.hpp"
#include "runtime/linux/memfd.hpp"
#include "runtime/shim/children.hpp"

namespace troupe::shim {

namespace {

template <class Decode, class Run>
int with_plan(int memfd, int line, Decode decode, Run run) {
  const auto plan = sys::read_sealed(memfd).and_then(
    [&](const plan::bytes& cbor) { return decode(cbor); });
  if (plan)
    return run(*plan);
  (void)launcher::send_report(line, prepare_failure(plan.error()));
  return 1;
}

} // namespace

int create_work(int plan, const launcher::lines& with, launcher::spare& own) {
  return with_plan(plan, with.report, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_create(x, with, own);
                   });
}

int exec_work(int plan, const launcher::lines& with, int target) {
  return with_plan(plan, with.report, plan::decode_exec_plan,
                   [&](const plan::exec_plan& x) {
                     return launcher::run_exec(x, with, target);
                   });
}

int teardown_work(int plan, int line) {
  return with_plan(plan, line, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_teardown(x, line);
                   });
}

int poststart_work(int plan, int line, pid_t pid) {
  return with_plan(plan, line, plan::decode_launch_plan,
                   [&](const plan::launch_plan& x) {
                     return launcher::run_poststart(x, line, pid);
                   });
}

} // namespace troupe::shim
