#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// /proc/PID/mountinfo, proc(5).
namespace troupe::sys {

struct mounted {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string point; ///< Below the reader's root.
};

/// A path as mountinfo has it: blanks and backslashes are written as "\040".
[[nodiscard]] std::string unescape_mountinfo(std::string_view text);

/// Lines that cannot be read are passed over.
[[nodiscard]] std::vector<mounted> parse_mountinfo(std::string_view text);

/// Unmounts what is mounted on the mount behind directory `root`, but for the
/// mount `keep`. What the kernel does not let go of (a user namespace may not
/// take apart what it was given) stays.
[[nodiscard]] outcome detach_children(int root, int keep);

} // namespace troupe::sys
