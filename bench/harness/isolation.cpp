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
  return mount_runtime_files("/run/containerd");
}

outcome mount_runtime_files(const std::string& path) {
  if (::mkdir(path.c_str(), 0711) != 0 && errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  if (::mount("tmpfs", path.c_str(), "tmpfs", 0, "mode=711") != 0)
    return fail_os(errno, "mount", path);
  return {};
}

} // namespace troupe::bench
