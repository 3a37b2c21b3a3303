#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/shim/protocol/version.hpp"

#include <cstddef>
#include <string>

namespace troupe::shim {

inline constexpr int most_spare_launchers = 16;

struct shim_options {
  std::string path; ///< Where it listens; absolute.
  std::size_t spare_launchers = 0;
  /// Where "ready" is said, or why not.
  sys::unique_fd ready;
  /// What another program has handed over (handover.hpp), or invalid.
  sys::unique_fd handover;
  /// Only read that, say "ready", and end.
  bool rehearse = false;
  /// That the supervisor speaks which wants the upgrade.
  std::uint32_t protocol = protocol_version;
};

/// The life of a shim: settles, listens or takes over, and serves until it is
/// not needed any more.
[[nodiscard]] outcome run(shim_options how);

} // namespace troupe::shim
