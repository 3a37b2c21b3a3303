#include "runtime/linux/seccomp.hpp"

#include <cerrno>
#include <cstring>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace troupe::sys {

outcome set_no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_os(errno, "prctl", "PR_SET_NO_NEW_PRIVS");
  return {};
}

outcome load_filter(std::span<const std::uint8_t> program,
                    std::uint32_t flags) {
  if (program.empty() || program.size() % sizeof(sock_filter) != 0
      || program.size() / sizeof(sock_filter) > BPF_MAXINSNS)
    return fail_os(EINVAL, "seccomp", "filter of a wrong size");
  // Copied: bytes from a decoded plan need not be aligned for instructions.
  std::vector<sock_filter> code(program.size() / sizeof(sock_filter));
  std::memcpy(code.data(), program.data(), program.size());
  const auto filter = sock_fprog{static_cast<unsigned short>(code.size()),
                                 code.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) != 0)
    return fail_os(errno, "seccomp", "filter");
  return {};
}

} // namespace troupe::sys
