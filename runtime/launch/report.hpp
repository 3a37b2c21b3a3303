#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <string_view>

/// What launcher and init say to the shim (or to `troupe-oci`) over their
/// SOCK_SEQPACKET line: one fixed-size packet each, so that a failing child
/// needs no allocation to say what went wrong.
namespace troupe::launch {

enum class report_kind : std::uint8_t {
  spawned,      ///< From the launcher: `pid`, and its pidfd by SCM_RIGHTS.
  created,      ///< From init: it waits for the start packet.
  failed,       ///< From either: phase, index, os_errno, subject.
  hook_warning, ///< A hook failed whose failure is only logged.
  done,         ///< From teardown and hook runners: all well.
};

struct report {
  std::uint32_t magic = 0x74727033; ///< "trp3"
  report_kind kind = report_kind::failed;
  plan::phase phase = plan::phase::prepare;
  std::uint16_t subject_length = 0;
  std::uint32_t index = 0;
  std::int32_t os_errno = 0;
  std::int32_t pid = 0;
  /// A path, hook or word for the reader; for failing hooks the end of the
  /// hook's stderr and its exit status.
  char subject[1000] = {};

  [[nodiscard]] std::string_view subject_text() const noexcept {
    return {subject, subject_length};
  }
};

/// `report` as the failure a user reads, with the origin of the step:
/// `/mounts/3: mount /data: open_tree /srv/data: ENOENT (…)`. Codes:
/// command_not_found and command_not_executable for phase exec.
[[nodiscard]] failure to_failure(const report& from,
                                 const plan::launch_plan* plan);

} // namespace troupe::launch
