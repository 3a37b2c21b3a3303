#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>

/// Pseudo terminals: pty(7), ioctl_tty(2).
namespace troupe::sys {

struct pty {
  unique_fd master;
  unique_fd slave;
};

/// A new pseudo terminal of the devpts that is mounted on /dev/pts below
/// `root`, unlocked. Nothing that is found there is trusted: the directory has
/// to be on a devpts, its ptmx the character device 5:2 of that mount, and the
/// slave is asked from the master (TIOCGPTPEER, Linux 4.13), never opened by a
/// path (CVE-2025-52565).
[[nodiscard]] result<pty> open_pty(int root);

/// Sets the size in characters (TIOCSWINSZ).
[[nodiscard]] outcome set_window_size(int terminal, std::uint16_t rows,
                                      std::uint16_t cols);

/// Makes `terminal` the controlling one of the caller, a session leader without
/// one (TIOCSCTTY).
[[nodiscard]] outcome take_controlling_terminal(int terminal);

} // namespace troupe::sys
