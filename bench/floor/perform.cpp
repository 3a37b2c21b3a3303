#include "bench/floor/perform.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::floor {

namespace {

/// Where the child stopped. It shares our memory, and we wait for its execve.
struct stop {
  const call* at = nullptr;
  int os_errno = 0;
};

/// What one call needs of those before it.
struct progress {
  const recipe& with;
  int file = -1;
};

bool write_all(int file, const char* text) {
  auto size = std::size_t{0};
  while (text[size] != '\0')
    ++size;
  return ::write(file, text, size) == static_cast<ssize_t>(size);
}

bool bring_loopback_up() {
  const auto socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  return socket >= 0 && ::ioctl(socket, SIOCSIFFLAGS, &request) == 0
         && ::close(socket) == 0;
}

bool set_capabilities(const recipe& with) {
  auto header = __user_cap_header_struct{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  for (auto i = 0U; i < 2; ++i)
    data[i] = {static_cast<std::uint32_t>(with.effective >> 32U * i),
               static_cast<std::uint32_t>(with.permitted >> 32U * i),
               static_cast<std::uint32_t>(with.inheritable >> 32U * i)};
  return ::syscall(SYS_capset, &header, data) == 0;
}

bool load_filter(const recipe& with, unsigned long flags) {
  const sock_fprog program{static_cast<unsigned short>(with.filter.size()),
                           const_cast<sock_filter*>(with.filter.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

bool join_keyring(const char* name) {
  constexpr auto shared_by_name = 0x3f1b0000UL; // as runtime/linux/keyring.cpp
  const auto id = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
  if (id < 0)
    return errno == ENOSYS;
  (void)::syscall(SYS_keyctl, KEYCTL_SETPERM, id, shared_by_name);
  return true;
}

/// A cgroup is busy until its last task is gone for good, which may be a moment
/// after it was reaped.
bool remove_directory(const char* path) {
  constexpr auto patience = 1'000'000;
  for (auto i = 0; i < patience; ++i) {
    if (::rmdir(path) == 0)
      return true;
    if (errno != EBUSY)
      return false;
    ::sched_yield();
  }
  return false;
}

bool set_limit(const recipe& with, const call& x) {
  return ::prlimit(0, static_cast<__rlimit_resource>(x.n), &with.limits[x.m],
                   nullptr)
         == 0;
}

// A table, one line for each call. NOLINTNEXTLINE(readability-function-size)
bool make(const call& x, progress& in) {
  switch (x.what) {
  case op::make_directory:
    return ::mkdir(x.a, static_cast<mode_t>(x.n)) == 0;
  case op::remove_directory:
    return remove_directory(x.a);
  case op::open_file:
    in.file = ::open(x.a, O_WRONLY | O_CLOEXEC);
    return in.file >= 0;
  case op::write_file:
    return write_all(in.file, x.a);
  case op::close_file:
    return ::close(in.file) == 0;
  case op::new_session:
    return ::setsid() > 0;
  case op::unshare:
    return ::unshare(static_cast<int>(x.n)) == 0;
  case op::loopback:
    return bring_loopback_up();
  case op::host_name:
    return ::sethostname(x.a, __builtin_strlen(x.a)) == 0;
  case op::domain_name:
    return ::setdomainname(x.a, __builtin_strlen(x.a)) == 0;
  case op::mount:
    return ::mount(x.a, x.b, x.c, x.n, reinterpret_cast<const void*>(x.m)) == 0;
  case op::node:
    return ::mknod(x.a, static_cast<mode_t>(x.n), x.m) == 0;
  case op::link:
    return ::symlink(x.a, x.b) == 0;
  case op::working_dir:
    return ::chdir(x.a) == 0;
  case op::pivot:
    return ::syscall(SYS_pivot_root, ".", ".") == 0
           && ::umount2(".", MNT_DETACH) == 0;
  case op::keyring:
    return join_keyring(x.a);
  case op::limit:
    return set_limit(in.with, x);
  case op::file_mask:
    ::umask(static_cast<mode_t>(x.n));
    return true;
  case op::drop_bounding:
    return ::prctl(PR_CAPBSET_DROP, x.n, 0, 0, 0) == 0;
  case op::raise_ambient:
    return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, x.n, 0, 0) == 0;
  case op::keep_rights:
    return ::prctl(PR_SET_KEEPCAPS, x.n, 0, 0, 0) == 0;
  case op::groups: // not libc's, which would tell other threads
    return ::syscall(SYS_setgroups, in.with.groups.size(),
                     in.with.groups.data())
           == 0;
  case op::group:
    return ::syscall(SYS_setgid, x.n) == 0;
  case op::user:
    return ::syscall(SYS_setuid, x.n) == 0;
  case op::capabilities:
    return set_capabilities(in.with);
  case op::no_new_rights:
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  case op::seccomp:
    return load_filter(in.with, x.n);
  case op::execute:
    ::execve(in.with.args.front(), in.with.args.data(), in.with.env.data());
    return false;
  }
  return false;
}

const call* make_all(const std::vector<call>& calls, const recipe& with) {
  progress in{with};
  for (const auto& x : calls)
    if (!make(x, in))
      return &x;
  return nullptr;
}

[[noreturn]] void run_child(const recipe& with, stop& at) {
  at.at = make_all(with.inside, with);
  at.os_errno = errno;
  ::_exit(127);
}

/// clone3(2) as vfork(2) does it: the child runs in our memory, on our stack
/// below this frame, while we wait for its execve. It never returns from here;
/// that is why the call must be in line and this function must not be.
[[gnu::noinline]] long spawn(clone_args& how, const recipe& with, stop& at) {
  long pid = 0;
#ifdef __x86_64__
  asm volatile("syscall"
               : "=a"(pid)
               : "a"(SYS_clone3), "D"(&how), "S"(sizeof how)
               : "rcx", "r11", "memory");
#else
#error "the floor's clone3 is written for x86-64"
#endif
  if (pid == 0)
    run_child(with, at);
  return pid;
}

tl::unexpected<failure> fail_call(const call& x, int why) {
  const auto* subject = x.b != nullptr ? x.b : x.a;
  return fail_os(why, to_string(x.what), subject != nullptr ? subject : "");
}

} // namespace

std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

result<times> perform(const recipe& with) {
  times out;
  out.began = now_ns();
  if (const auto* failed = make_all(with.before, with))
    return fail_call(*failed, errno);
  auto pidfd = -1;
  const auto v2 = with.v2_cgroup != nullptr
                    ? ::open(with.v2_cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC)
                    : -1;
  clone_args how{};
  how.flags = with.clone_flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  how.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  how.exit_signal = SIGCHLD;
  if (v2 >= 0) {
    how.flags |= CLONE_INTO_CGROUP;
    how.cgroup = static_cast<std::uint64_t>(v2);
  }
  stop at;
  const auto pid = spawn(how, with, at);
  if (pid < 0)
    return fail_os(static_cast<int>(-pid), "clone3", "");
  out.started = now_ns();
  siginfo_t ended{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &ended, WEXITED) != 0)
    return fail_os(errno, "waitid", "");
  out.exited = now_ns();
  ::close(pidfd);
  if (v2 >= 0)
    ::close(v2);
  if (const auto* failed = make_all(with.after, with))
    return fail_call(*failed, errno);
  out.removed = now_ns();
  if (at.at != nullptr)
    return fail_call(*at.at, at.os_errno);
  out.exit_code = ended.si_status;
  return out;
}

} // namespace troupe::floor
