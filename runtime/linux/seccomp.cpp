#include "runtime/linux/seccomp.hpp"

#include <cerrno>
#include <cstring>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

outcome set_no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_os(errno, "prctl", "PR_SET_NO_NEW_PRIVS");
  return {};
}

result<std::vector<sock_filter>>
filter_code(std::span<const std::uint8_t> program) {
  if (program.empty() || program.size() % sizeof(sock_filter) != 0
      || program.size() / sizeof(sock_filter) > BPF_MAXINSNS)
    return fail_os(EINVAL, "seccomp", "filter of a wrong size");
  std::vector<sock_filter> code(program.size() / sizeof(sock_filter));
  std::memcpy(code.data(), program.data(), program.size());
  return code;
}

result<int> load_filter(std::span<const sock_filter> code,
                        std::uint32_t flags) {
  const auto filter = sock_fprog{static_cast<unsigned short>(code.size()),
                                 const_cast<sock_filter*>(code.data())};
  const auto got = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
                             &filter);
  if (got < 0)
    return fail_os(errno, "seccomp", "filter");
  const auto listens = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  return listens ? static_cast<int>(got) : -1;
}

} // namespace troupe::sys
