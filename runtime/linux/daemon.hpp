#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <optional>
#include <string>

/// What a daemon does once, while it has one thread.
namespace troupe::sys {

/// Makes `path` (0700) with the directories above it (0755). One that is there
/// already must be ours, and ours alone to write.
[[nodiscard]] outcome make_private_directory(const std::string& path);

/// Takes the lock file at `path`, flock(2), and writes our pid into it. The
/// lock ends with the descriptor, however the process ends. `already_exists`
/// names the pid of whoever has it.
[[nodiscard]] result<unique_fd> take_lock(const std::string& path);

/// Raises the soft limit of open descriptors to the hard one.
void raise_descriptor_limit() noexcept;

/// Blocks every signal in this thread, and so in those that it starts; returns
/// a descriptor on which they arrive, signalfd(2).
[[nodiscard]] result<unique_fd> divert_signals();

/// The next signal on that descriptor, if there is one.
[[nodiscard]] std::optional<int> next_signal(int signals) noexcept;

} // namespace troupe::sys
