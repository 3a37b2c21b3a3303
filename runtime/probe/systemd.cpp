#include "runtime/probe/systemd.hpp"

#include <cerrno>
#include <unistd.h>

namespace troupe::sys {

result<std::string> find_scope_helper(const std::string& directory) {
  if (::access("/run/systemd/system", F_OK) != 0)
    return fail(fault::unsupported,
                "--systemd-cgroup: systemd is not the init of this host; "
                "without it, cgroups are made directly");
  auto out = directory + "/troupe-scope";
  if (::access(out.c_str(), X_OK) != 0)
    return fail_os(errno, "--systemd-cgroup: execute", out);
  return out;
}

} // namespace troupe::sys
