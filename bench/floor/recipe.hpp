#pragma once

#include "config/base/result.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <deque>
#include <linux/filter.h>
#include <string>
#include <sys/resource.h>
#include <vector>

/// The floor: what one start of a container costs if nobody decides, checks or
/// supervises anything. A launch plan is turned into a flat list of system
/// calls beforehand; what is timed only makes them, from a small process.
namespace troupe::floor {

/// One system call, or the few that have no meaning apart. `a`, `b` and `c` are
/// its strings, `n` and `m` its numbers, in the order of the manual page.
enum class op : std::uint8_t {
  make_directory,   ///< mkdir(a, n)
  remove_directory, ///< rmdir(a), again while EBUSY
  open_file,        ///< open(a, O_WRONLY): the file of what follows
  write_file,       ///< write(a)
  close_file,       ///< close
  new_session,      ///< setsid
  unshare,          ///< unshare(n)
  loopback,         ///< socket, SIOCSIFFLAGS, close
  host_name,        ///< sethostname(a)
  domain_name,      ///< setdomainname(a)
  mount,            ///< mount(a, b, c, n, m as data)
  node,             ///< mknod(a, n, m)
  link,             ///< symlink(a, b)
  working_dir,      ///< chdir(a)
  pivot,            ///< pivot_root(".", "."), umount2(".", MNT_DETACH)
  keyring,          ///< keyctl(JOIN_SESSION_KEYRING, a), SETPERM
  limit,            ///< prlimit(n, limits[m])
  file_mask,        ///< umask(n)
  drop_bounding,    ///< prctl(PR_CAPBSET_DROP, n)
  raise_ambient,    ///< prctl(PR_CAP_AMBIENT_RAISE, n)
  keep_rights,      ///< prctl(PR_SET_KEEPCAPS, n)
  groups,           ///< setgroups(recipe::groups)
  group,            ///< setgid(n)
  user,             ///< setuid(n)
  capabilities,     ///< capset(recipe::effective…)
  no_new_rights,    ///< prctl(PR_SET_NO_NEW_PRIVS)
  seccomp,          ///< seccomp(recipe::filter, n as flags)
  execute,          ///< execve(args, env)
};

struct call {
  op what = op::execute;
  const char* a = nullptr;
  const char* b = nullptr;
  const char* c = nullptr;
  unsigned long n = 0;
  unsigned long m = 0;
};

/// Everything that one start and its end need, as the kernel takes it.
struct recipe {
  recipe() = default;
  recipe(recipe&&) = default; // a copy's pointers would be the original's
  recipe(const recipe&) = delete;

  std::vector<call> before; ///< By the parent, before clone3: cgroups.
  std::vector<call> inside; ///< By the child, the last one execve.
  std::vector<call> after;  ///< By the parent, once the child is reaped.
  std::uint64_t clone_flags = 0;
  const char* v2_cgroup = nullptr; ///< For CLONE_INTO_CGROUP.
  std::vector<sock_filter> filter;
  std::vector<gid_t> groups;
  std::vector<rlimit> limits;
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::vector<char*> args;
  std::vector<char*> env;
  std::deque<std::string> texts; ///< What the pointers point to.
};

/// The recipe for a start of `plan`, whose cgroup gets `suffix` at its end, so
/// that many can run. Looks at this host (which masked paths there are) and
/// makes the cgroups' parents. Refuses what it has no call for: a floor that
/// leaves something out would be a lie.
[[nodiscard]] result<recipe> prepare(const plan::launch_plan& plan,
                                     const std::string& suffix);

/// "mount", "pivot"...
[[nodiscard]] const char* to_string(op what) noexcept;

} // namespace troupe::floor
