#include "runtime/linux/keyring.hpp"

#include <cerrno>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// What a new session keyring has, keyrings(7), and search by its user: without
/// it nobody could join it by name. Possessor: all; user: view, read, search,
/// link.
constexpr unsigned long shared_by_name = 0x3f1b0000;

} // namespace

outcome join_session_keyring(const std::string& name) {
  const auto keyring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING,
                                 name.c_str());
  const auto why = keyring < 0 ? errno : 0;
  if (why == ENOSYS)
    return {};
  if (why == EDQUOT)
    return fail_os(why, "keyctl",
                   name + " (kernel.keys.maxkeys limits a user's keyrings)");
  if (why != 0)
    return fail_os(why, "keyctl", name);
  // Refused for a keyring that another process made: it was shared before.
  (void)::syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, shared_by_name);
  return {};
}

} // namespace troupe::sys
