#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <chrono>
#include <string>
#include <sys/types.h>

namespace troupe::bench {

/// A file system in the mount namespace of a process that answers nobody: a
/// FUSE connection (Documentation/filesystems/fuse.rst) that, once made, is
/// served no more. Whoever looks into it waits in a sleep that a freezer cannot
/// end but SIGKILL can. They fail once this goes.
class stuck_mount {
public:
  /// At `directory` as `pid` sees it.
  [[nodiscard]] static result<stuck_mount> make(pid_t pid,
                                                const std::string& directory);

  /// Waits until somebody looks into it, who from then on waits for ever.
  [[nodiscard]] outcome await_visitor(std::chrono::milliseconds longest) const;

private:
  explicit stuck_mount(sys::unique_fd connection)
    : connection_(std::move(connection)) {
  }

  sys::unique_fd connection_;
};

} // namespace troupe::bench
