#include "runtime/shim/endings.hpp"

#include "runtime/shim/protocol/frames.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace troupe::shim {

namespace {

// A JSON string, RFC 8259. Bytes that are not UTF-8 come from file names; they
// are left as they are.
std::string quoted(std::string_view text) {
  std::string out{'"'};
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{byte});
      out.append(escape);
    } else
      out.append(1, c);
  }
  return out.append(1, '"');
}

std::string error_text(const step_report& step) {
  launcher::report report;
  report.phase = static_cast<plan::phase>(step.phase);
  report.index = step.index;
  report.os_errno = step.os_errno;
  const auto length = std::min(step.subject.size(), sizeof report.subject);
  std::memcpy(report.subject, step.subject.data(), length);
  report.subject_length = static_cast<std::uint16_t>(length);
  return launcher::to_failure(report, nullptr).what;
}

} // namespace

std::string describe(const sys::exit_status& status) {
  if (status.signal == 0)
    return "exit code " + std::to_string(status.code);
  auto out = "signal " + std::to_string(status.signal);
  if (const auto* name = ::sigabbrev_np(status.signal))
    out.append(" (SIG").append(name).append(")");
  return out;
}

std::int32_t exit_code_of(const step_report& step) {
  constexpr auto command_not_found = 127;
  constexpr auto command_not_executable = 126;
  return step.phase == static_cast<std::uint8_t>(plan::phase::exec)
             && step.os_errno == ENOENT
           ? command_not_found
           : command_not_executable;
}

answer failed_answer(const launcher::report& why) {
  return {fail(launcher::to_failure(why, nullptr)), step_of(why)};
}

std::string status_of(const record& of) {
  const auto failed = of.state == process_state::failed || of.start_failed;
  if (failed)
    return "{\"exit_code\":" + std::to_string(exit_code_of(of.failure))
           + ",\"error\":" + quoted(error_text(of.failure)) + "}";
  return status_text(of.exit_code, of.exit_signal);
}

} // namespace troupe::shim
