#pragma once

#include "runtime/launch/launch.hpp"
#include "runtime/launch/progress.hpp"

#include <chrono>
#include <cstdint>
#include <sys/types.h>

/// The private line between launcher and init, a blocking SOCK_SEQPACKET pair:
///
///   launcher          init
///     mapped ──────────▶   its user and group ids exist
///     ◀─────────── ready   namespaces, root file system and mounts are there
///     go_on{pid} ──────▶   host hooks have run
///     ◀───────── created   it has told its caller, and waits for the start
///
/// Where the launcher has nothing to do meanwhile (`is_accompanied`), ready and
/// go_on are left out, and mapped is heard last: that its caller has been told
/// of init. Each word that is waited for costs a wake-up on another CPU.
///
/// Instead of its next word init may send a `report` of kind `failed`. EOF
/// means that the other side is dead.
namespace troupe::launch {

enum class word : std::uint8_t { mapped, ready, go_on, created };

struct message {
  word said = word::mapped;
  std::int32_t pid = 0; ///< With go_on: init's, as its launcher sees it.
};

/// If the other side has ended, the failure is why, as far as it has said so.
[[nodiscard]] outcome say(int line, word what, progress& at, pid_t pid = 0);

/// Whether init needs its launcher between its birth and its start: for its
/// ids, for what is written about it from outside, for hooks, or for its pid.
[[nodiscard]] bool is_accompanied(const plan::launch_plan& plan) noexcept;

/// Waits for `expected`. A report in its place becomes a failure, and `at` its
/// place; EOF is `unavailable`. Waits as long as it takes: hooks may.
[[nodiscard]] result<message> hear(int line, word expected, progress& at);

/// The same, but after `patience` fails with `timed_out`.
[[nodiscard]] result<message> hear(int line, word expected, progress& at,
                                   std::chrono::milliseconds patience);

/// Waits on the start line: true for the start packet, false if the caller is
/// gone.
[[nodiscard]] result<bool> await_start(int line);

} // namespace troupe::launch
