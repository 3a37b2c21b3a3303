#include "runtime/launch/process.hpp"

#include "runtime/launch/c_strings.hpp"
#include "runtime/launch/executable.hpp"
#include "runtime/launch/listener.hpp"
#include "runtime/launch/stdio.hpp"
#include "runtime/linux/capabilities.hpp"
#include "runtime/linux/descriptors.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/namespaces.hpp"
#include "runtime/linux/passwd.hpp"
#include "runtime/linux/seccomp.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/capability.h>
#include <optional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

constexpr std::array<std::string_view, RLIM_NLIMITS> limit_names{
  "RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
  "RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
  "RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
  "RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME"};

tl::unexpected<failure> fail_limit(int why, std::int32_t resource) {
  const auto index = static_cast<std::size_t>(resource);
  return fail_os(why, "setrlimit",
                 index < limit_names.size() ? limit_names[index]
                                            : "of an unknown resource");
}

/// prlimit(2): a hard limit is raised with CAP_SYS_RESOURCE only.
outcome check_rlimits(const plan::process& process, progress& at) {
  at = {plan::phase::rlimit, 0};
  for (const auto& x : process.rlimits) {
    ::rlimit now{};
    const auto resource = static_cast<__rlimit_resource>(x.resource);
    if (::prlimit(0, resource, nullptr, &now) != 0)
      return fail_limit(errno, x.resource);
    if (x.hard > now.rlim_max && !sys::has_effective(CAP_SYS_RESOURCE))
      return fail_limit(EPERM, x.resource);
    ++at.index;
  }
  return {};
}

outcome set_rlimits(const plan::process& process, progress& at) {
  at = {plan::phase::rlimit, 0};
  for (const auto& x : process.rlimits) {
    const auto limit = ::rlimit{x.soft, x.hard};
    const auto resource = static_cast<__rlimit_resource>(x.resource);
    if (::prlimit(0, resource, &limit, nullptr) != 0)
      return fail_limit(errno, x.resource);
    ++at.index;
  }
  return {};
}

/// The bounding set needs CAP_SETPCAP and so comes before the change of user,
/// which the permitted set is kept across. From here on the process has the
/// rights that its program will have, with the means to drop the rest later.
outcome become_user(const plan::process& process, progress& at) {
  const auto& sets = process.capabilities;
  at = {plan::phase::capabilities, 0};
  if (sets.set) {
    TROUPE_CHECK(sys::limit_bounding(sets.bounding));
    TROUPE_CHECK(sys::keep_capabilities(true));
  }
  at = {plan::phase::user, 0};
  TROUPE_CHECK(sys::set_ids(process.groups, process.gid, process.uid));
  at = {plan::phase::capabilities, 0};
  if (!sets.set)
    return {};
  TROUPE_CHECK(sys::keep_capabilities(false));
  TROUPE_CHECK(sys::set_inheritable(sets.inheritable));
  TROUPE_CHECK(sys::set_ambient(sets.ambient));
  return sys::set_effective(sets.effective);
}

outcome drop_capabilities(const plan::capability_sets& sets, progress& at) {
  at = {plan::phase::capabilities, 0};
  if (!sets.set)
    return {};
  return sys::drop_capabilities(sets.effective, sets.permitted,
                                sets.inheritable);
}

/// The listener's descriptor is gone from here when this returns, and no system
/// call was made between the filter and that.
outcome load_seccomp(const plan::process& process, listener_sender* sender,
                     progress& at) {
  at = {plan::phase::seccomp, 0};
  if (process.seccomp.program.empty())
    return {};
  TROUPE_TRY(const auto code, sys::filter_code(process.seccomp.program));
  TROUPE_TRY(const auto notifications,
             sys::load_filter(code, process.seccomp.flags));
  if (notifications >= 0 && sender)
    sender->send(notifications);
  return {};
}

/// Changes directory as the container's user, and makes sure that the result is
/// inside the root: the kernel puts `(unreachable)` in front of a path that is
/// not (CVE-2024-21626).
outcome enter_cwd(const plan::process& process, progress& at) {
  at = {plan::phase::cwd, 0};
  if (::chdir(process.cwd.c_str()) != 0)
    return fail_os(errno, "chdir", process.cwd);
  char path[8192] = {};
  if (::syscall(SYS_getcwd, path, sizeof(path)) < 0)
    return fail_os(errno, "getcwd", process.cwd);
  if (path[0] != '/')
    return fail_os(EXDEV, "working directory outside the root:", process.cwd);
  return {};
}

/// The program's environment. Who has none of their own gets the HOME of their
/// /etc/passwd: programs rely on it, and every runtime sets it.
std::vector<std::string> environment_of(const plan::process& process) {
  auto out = process.env;
  const auto is_home = [](const std::string& x) {
    return x.starts_with("HOME=");
  };
  if (std::ranges::any_of(out, is_home))
    return out;
  const auto root = sys::open_file(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  out.push_back("HOME="
                + (root ? sys::home_of(root->get(), process.uid) : "/"));
  return out;
}

/// All that execve(2) needs, made while a filter cannot refuse it.
struct program {
  std::string path;
  std::vector<std::string> env;
};

outcome execute(const plan::process& process, const program& x) {
  const auto argv = c_strings{process.args};
  const auto envp = c_strings{x.env};
  ::execve(x.path.c_str(), argv.get(), envp.get());
  return fail_os(errno, "execve", x.path);
}

/// Without no_new_privs loading a filter needs CAP_SYS_ADMIN: the last rights
/// go after it, in one capset(2) that the filter has to allow.
outcome load_privileged_seccomp(const plan::process& process,
                                listener_sender* sender, progress& at) {
  at = {plan::phase::capabilities, 0};
  if (process.capabilities.set && !process.seccomp.program.empty())
    TROUPE_CHECK(sys::set_effective(~std::uint64_t{0}));
  return load_seccomp(process, sender, at);
}

/// What the filter may refuse comes before it.
outcome drop_and_execute(const plan::process& process, const program& x,
                         listener_sender* sender, progress& at) {
  const auto privileged = !process.no_new_privileges;
  const auto keeps_rights = process.capabilities.set;
  if (privileged && !keeps_rights) // they may go with the user
    TROUPE_CHECK(load_privileged_seccomp(process, sender, at));
  TROUPE_CHECK(become_user(process, at));
  TROUPE_CHECK(enter_cwd(process, at));
  if (privileged && keeps_rights)
    TROUPE_CHECK(load_privileged_seccomp(process, sender, at));
  TROUPE_CHECK(drop_capabilities(process.capabilities, at));
  if (process.no_new_privileges) {
    TROUPE_CHECK(sys::set_no_new_privileges());
    TROUPE_CHECK(load_seccomp(process, sender, at));
  }
  at = {plan::phase::exec, 0};
  return execute(process, x);
}

} // namespace

outcome make_ready(const plan::process& process, const lines& with,
                   const prepared& ready, progress& at) {
  at = {plan::phase::console, 0};
  if (ready.terminal)
    TROUPE_CHECK(take_stdio(with, ready.terminal.get(), process.uid));
  TROUPE_CHECK(check_rlimits(process, at));
  at = {plan::phase::exec, 0};
  if (process.args.empty())
    return {};
  TROUPE_TRY([[maybe_unused]] const auto path, find_executable(process));
  return {};
}

outcome become_process(const plan::process& process, const lines& with,
                       const prepared& ready, progress& at) {
  at = {plan::phase::exec, 0};
  if (process.args.empty())
    return fail_os(EINVAL, "start", "the container has no process.args");
  TROUPE_TRY(const auto path, find_executable(process));
  at = {plan::phase::seccomp, 1};
  std::optional<listener_sender> sender;
  if (ready.listener) {
    sender.emplace(ready.listener.get(), ready.process_state, with.start);
    TROUPE_CHECK(sender->start());
  }
  at = {plan::phase::console, 0};
  if (!ready.terminal) // else it is the stdio already: make_ready
    TROUPE_CHECK(take_stdio(with, -1, process.uid));
  TROUPE_CHECK(set_attributes(process.attributes, at));
  TROUPE_CHECK(set_labels(process.attributes, ready.labels, at));
  TROUPE_CHECK(set_rlimits(process, at));
  at = {plan::phase::exec, 0};
  TROUPE_CHECK(sys::close_all_on_exec(3 + with.preserve_fds));
  if (process.umask >= 0)
    ::umask(static_cast<mode_t>(process.umask));
  return drop_and_execute(process, {path, environment_of(process)},
                          sender ? &*sender : nullptr, at);
}

int exit_code(const progress& at, const failure& why) noexcept {
  if (at.phase != plan::phase::exec)
    return 1;
  return why.os_errno == ENOENT ? 127 : 126;
}

} // namespace troupe::launch
