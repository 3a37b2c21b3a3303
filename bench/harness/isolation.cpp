#include "bench/harness/isolation.hpp"

#include <cerrno>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace troupe::bench {

outcome isolate_mounts(bool run_containerd) {
  if (::unshare(CLONE_NEWNS) != 0)
    return fail_os(errno, "unshare", "mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0)
    return fail_os(errno, "mount", "/");
  if (!run_containerd)
    return {};
  const auto* const path = "/run/containerd";
  if (::mkdir(path, 0711) != 0 && errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  if (::mount("tmpfs", path, "tmpfs", 0, "mode=711") != 0)
    return fail_os(errno, "mount", path);
  return {};
}

} // namespace troupe::bench
