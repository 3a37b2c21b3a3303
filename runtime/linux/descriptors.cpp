#include "runtime/linux/descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <linux/close_range.h>
#include <unistd.h>

namespace troupe::sys {

outcome close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  auto from = 3U;
  for (const auto fd : keep) {
    if (fd < static_cast<int>(from))
      continue;
    const auto kept = static_cast<unsigned>(fd);
    if (kept > from && ::close_range(from, kept - 1, 0) != 0)
      return fail_os(errno, "close_range", "");
    from = kept + 1;
  }
  if (::close_range(from, ~0U, 0) != 0)
    return fail_os(errno, "close_range", "");
  return {};
}

outcome close_all_on_exec() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    return fail_os(errno, "close_range", "CLOSE_RANGE_CLOEXEC");
  return {};
}

} // namespace troupe::sys
