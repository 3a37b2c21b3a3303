#include "runtime/launch/isolate.hpp"

#include "runtime/linux/descriptors.hpp"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

outcome set_dumpable(bool dumpable) {
  if (::prctl(PR_SET_DUMPABLE, dumpable ? 1UL : 0UL, 0UL, 0UL, 0UL) != 0)
    return fail_os(errno, "prctl", "PR_SET_DUMPABLE");
  return {};
}

} // namespace

outcome allow_own_maps() {
  return set_dumpable(true);
}

outcome end_own_maps() {
  return set_dumpable(false);
}

outcome isolate(std::vector<int> lines, int preserve) {
  const auto inherited = sys::inherited_descriptors(preserve);
  lines.insert(lines.end(), inherited.begin(), inherited.end());
  TROUPE_CHECK(sys::close_all_but(std::move(lines)));
  TROUPE_CHECK(set_dumpable(false));
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
