#include "runtime/launch/isolate.hpp"

#include "runtime/linux/descriptors.hpp"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace troupe::launch {

outcome isolate(std::vector<int> lines, int preserve) {
  const auto inherited = sys::inherited_descriptors(preserve);
  lines.insert(lines.end(), inherited.begin(), inherited.end());
  TROUPE_CHECK(sys::close_all_but(std::move(lines)));
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail_os(errno, "prctl", "PR_SET_DUMPABLE");
  // Handlers first: a signal that was blocked must not meet the shim's.
  for (auto signo = 1; signo < NSIG; ++signo)
    ::signal(signo, SIG_DFL); // fails for SIGKILL, SIGSTOP and libc's own
  sigset_t none;
  sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0)
    return fail_os(errno, "sigprocmask", "");
  return {};
}

} // namespace troupe::launch
