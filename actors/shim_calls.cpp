#include "actors/shim_calls.hpp"

#include "runtime/launch/report.hpp"
#include "runtime/linux/memfd.hpp"

#include <caf/sec.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace troupe {

namespace {

result<std::vector<msg::shared_fd>> sealed(const plan::bytes& cbor) {
  TROUPE_TRY(auto fd, sys::sealed_memfd("troupe-plan", cbor));
  return std::vector{std::make_shared<sys::unique_fd>(std::move(fd))};
}

} // namespace

caf::timespan launch_patience(const services& with) {
  return std::chrono::milliseconds{with.settings->launch_timeout_ms};
}

outcome outcome_of(const shim::reply& x, const plan::launch_plan* plan) {
  if (x.fault == 0)
    return {};
  if (x.has_step)
    return fail(to_failure(x.step, plan));
  const auto known = x.fault <= static_cast<std::uint8_t>(fault::os);
  return fail(failure{known ? static_cast<fault>(x.fault) : fault::os,
                      x.os_errno, x.what});
}

failure to_failure(const shim::step_report& x, const plan::launch_plan* plan) {
  auto report = launch::report{};
  // The number comes from another process: what is not a phase is no index.
  if (x.phase <= static_cast<std::uint8_t>(plan::phase::cgroup_remove))
    report.phase = static_cast<plan::phase>(x.phase);
  report.index = x.index;
  report.os_errno = x.os_errno;
  const auto length = std::min(x.subject.size(), sizeof(report.subject));
  std::memcpy(report.subject, x.subject.data(), length);
  report.subject_length = static_cast<std::uint16_t>(length);
  return launch::to_failure(report, plan);
}

std::int32_t start_failed_code(const failure& why,
                               std::int32_t reported) noexcept {
  if (why.code == fault::command_not_found)
    return 127;
  if (why.code == fault::command_not_executable)
    return 126;
  return reported != 0 ? reported : 1;
}

failure no_answer(const caf::error& why) {
  if (why == caf::sec::request_timeout)
    return {fault::timed_out, 0, "the shim has not answered in time"};
  if (why == caf::sec::request_receiver_down)
    return {fault::unavailable, 0, "the shim is gone"};
  return from_caf(why);
}

result<std::vector<msg::shared_fd>> plan_fds(const plan::launch_plan& plan) {
  return sealed(plan::encode(plan));
}

result<std::vector<msg::shared_fd>> plan_fds(const plan::exec_plan& plan) {
  return sealed(plan::encode(plan));
}

} // namespace troupe
