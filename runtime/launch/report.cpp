#include "runtime/launch/report.hpp"

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <type_traits>

namespace troupe::launch {

namespace {

/// Failures of these phases are about a named thing of the plan, which the
/// failing system call alone does not tell.
std::string doing(const report& from, const plan::launch_plan* plan) {
  auto out = std::string{plan::to_string(from.phase)};
  if (plan == nullptr)
    return out;
  const auto i = from.index;
  if (from.phase == plan::phase::mount && i < plan->rootfs.mounts.size())
    out += " " + plan->rootfs.mounts[i].target;
  if (from.phase == plan::phase::device && i < plan->rootfs.devices.size())
    out += " " + plan->rootfs.devices[i].path;
  if (from.phase == plan::phase::sysctl && i < plan->sysctls.size())
    out += " " + plan->sysctls[i].key;
  return out;
}

fault code_of(const report& from) {
  if (from.phase != plan::phase::exec)
    return classify(from.os_errno);
  return from.os_errno == ENOENT ? fault::command_not_found
                                 : fault::command_not_executable;
}

} // namespace

report make_report(report_kind kind, const progress& at, const failure& why) {
  auto out = report{};
  out.kind = kind;
  out.phase = at.phase;
  out.index = at.index;
  out.os_errno = why.os_errno;
  const auto length = std::min(why.what.size(), sizeof(out.subject));
  std::memcpy(out.subject, why.what.data(), length);
  out.subject_length = static_cast<std::uint16_t>(length);
  return out;
}

outcome send_report(int line, const report& what, int fd) {
  static_assert(std::is_trivially_copyable_v<report>);
  const auto bytes = std::span{reinterpret_cast<const std::uint8_t*>(&what),
                               sizeof(what)};
  const auto fds = std::array{fd};
  return sys::send_packet(line, bytes, std::span{fds}.first(fd < 0 ? 0 : 1));
}

failure to_failure(const report& from, const plan::launch_plan* plan) {
  auto out = failure{code_of(from), from.os_errno,
                     std::string{from.subject_text()}};
  out = std::move(out).during(doing(from, plan));
  const auto origin = plan ? plan::origin_of(*plan, from.phase, from.index)
                           : std::string_view{};
  return origin.empty() ? out : std::move(out).during(origin);
}

} // namespace troupe::launch
