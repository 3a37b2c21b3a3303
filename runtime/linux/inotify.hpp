#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

/// Notices that a directory's files change: inotify(7).
namespace troupe::sys {

/// A descriptor that becomes readable when a file directly in `path` grows, is
/// made, or is renamed, and stays readable until it is drained. CLOEXEC and
/// non-blocking.
[[nodiscard]] result<unique_fd> watch_directory(const std::string& path);

/// Reads all notices away. What they say does not matter: whoever is woken
/// looks for itself, and a lost notice (IN_Q_OVERFLOW) is a notice too.
void drain_inotify(int fd) noexcept;

} // namespace troupe::sys
