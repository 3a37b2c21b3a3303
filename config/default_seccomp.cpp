#include "config/default_seccomp.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>

namespace troupe {

namespace {

using names = std::span<const std::string_view>;

constexpr auto allow = "SCMP_ACT_ALLOW";
constexpr auto refusal = "SCMP_ACT_ERRNO";

// Left out of the table on purpose, each a way to the host's kernel rather than
// a service for programs: mounts and namespaces, modules and kexec, bpf, perf
// and io_uring (most kernel exploits of 2021-2023 began there), keyrings
// (not namespaced), userfaultfd (widens races), NUMA placement, clocks, swap,
// quotas, accounting, reboot, raw ports, and what is obsolete.
constexpr std::array always = std::to_array<std::string_view>({
  // files
  "access", "chdir", "chmod", "chown", "chown32", "close", "close_range",
    "copy_file_range", "creat", "dup", "dup2", "dup3", "faccessat",
    "faccessat2", "fadvise64", "fadvise64_64", "fallocate", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl",
    "fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fremovexattr",
    "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64",
    "fsync", "ftruncate", "ftruncate64", "futimesat", "getcwd", "getdents",
    "getdents64", "getxattr", "getxattrat", "ioctl", "lchown", "lchown32",
    "lgetxattr", "link", "linkat", "listmount", "listxattr", "listxattrat",
    "llistxattr", "_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat",
    "lstat64", "mkdir", "mkdirat", "mknod", "mknodat", "name_to_handle_at",
    "newfstatat", "_newselect", "open", "openat", "openat2", "pipe", "pipe2",
    "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read",
    "readahead", "readlink", "readlinkat", "readv", "removexattr",
    "removexattrat", "rename", "renameat", "renameat2", "rmdir", "sendfile",
    "sendfile64", "setxattr", "setxattrat", "splice", "stat", "stat64",
    "statfs", "statfs64", "statmount", "statx", "symlink", "symlinkat", "sync",
    "sync_file_range", "syncfs", "tee", "truncate", "truncate64", "umask",
    "unlink", "unlinkat", "utime", "utimensat", "utimensat_time64", "utimes",
    "vmsplice", "write", "writev",
    // readiness and asynchronous input and output
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd",
    "eventfd2", "fanotify_mark", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy",
    "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup",
    "io_submit", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64",
    "select",
    // memory
    "brk", "cachestat", "madvise", "map_shadow_stack", "membarrier",
    "memfd_create", "memfd_secret", "mincore", "mlock", "mlock2", "mlockall",
    "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync", "munlock",
    "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect",
    "process_mrelease", "remap_file_pages",
    // processes and threads
    "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork",
    "futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv",
    "futex_wake", "get_robust_list", "getcpu", "getegid", "getegid32",
    "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32",
    "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getresgid",
    "getresgid32", "getresuid", "getresuid32", "getrlimit", "get_thread_area",
    "gettid", "getrusage", "getsid", "getuid", "getuid32", "ioprio_get",
    "ioprio_set", "kill", "landlock_add_rule", "landlock_create_ruleset",
    "landlock_restrict_self", "pidfd_open", "pidfd_send_signal", "prctl",
    "prlimit64", "process_vm_readv", "process_vm_writev", "ptrace", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
    "sched_getattr", "sched_getparam", "sched_getscheduler",
    "sched_rr_get_interval", "sched_rr_get_interval_time64",
    "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "sched_yield", "seccomp", "set_robust_list",
    "set_thread_area", "set_tid_address", "setfsgid", "setfsgid32", "setfsuid",
    "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32", "setpgid",
    "setpriority", "setregid", "setregid32", "setresgid", "setresgid32",
    "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid",
    "setuid", "setuid32", "sysinfo", "tgkill", "times", "tkill", "ugetrlimit",
    "uname", "vfork", "wait4", "waitid", "waitpid",
    // signals and time
    "adjtimex", "alarm", "clock_adjtime", "clock_adjtime64", "clock_getres",
    "clock_getres_time64", "clock_gettime", "clock_gettime64",
    "clock_nanosleep", "clock_nanosleep_time64", "getitimer", "gettimeofday",
    "nanosleep", "pause", "restart_syscall", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo",
    "setitimer", "sigaltstack", "signal", "sigaction", "signalfd", "signalfd4",
    "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "time",
    "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
    "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create",
    "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
    "timerfd_settime64",
    // sockets and System V IPC; socket itself has rules of its own below
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname",
    "getsockopt", "ipc", "listen", "mq_getsetattr", "mq_notify", "mq_open",
    "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
    "mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd",
    "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "semctl",
    "semget", "semop", "semtimedop", "semtimedop_time64", "send", "sendmmsg",
    "sendmsg", "sendto", "setsockopt", "shmat", "shmctl", "shmdt", "shmget",
    "shutdown", "socketcall", "socketpair",
    // random numbers
    "getrandom",
#if defined(__x86_64__) || defined(__i386__)
    "arch_prctl", "modify_ldt",
#elif defined(__aarch64__) || defined(__arm__)
    "arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush",
    "set_tls", "sync_file_range2",
#endif
});

/// What a capability opens.
struct grant {
  std::string_view capability;
  std::array<std::string_view, 22> calls; ///< Ends with the first empty one.
};

constexpr std::array grants{
  grant{"CAP_BPF", {"bpf"}},
  grant{"CAP_DAC_READ_SEARCH", {"open_by_handle_at"}},
  grant{"CAP_PERFMON", {"perf_event_open"}},
  grant{"CAP_SYSLOG", {"syslog"}},
  grant{"CAP_SYS_ADMIN",
        {"bpf",
         "clone",
         "clone3",
         "fanotify_init",
         "fsconfig",
         "fsmount",
         "fsopen",
         "fspick",
         "mount",
         "mount_setattr",
         "move_mount",
         "open_tree",
         "perf_event_open",
         "quotactl",
         "quotactl_fd",
         "setdomainname",
         "sethostname",
         "setns",
         "syslog",
         "umount",
         "umount2",
         "unshare"}},
  grant{"CAP_SYS_BOOT", {"reboot"}},
  grant{"CAP_SYS_CHROOT", {"chroot"}},
  grant{"CAP_SYS_MODULE", {"delete_module", "finit_module", "init_module"}},
  grant{"CAP_SYS_NICE",
        {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
  grant{"CAP_SYS_PACCT", {"acct"}},
  grant{"CAP_SYS_PTRACE", {"kcmp", "pidfd_getfd", "process_madvise"}},
  grant{"CAP_SYS_RAWIO", {"ioperm", "iopl"}},
  grant{"CAP_SYS_TIME",
        {"clock_settime", "clock_settime64", "settimeofday", "stime"}},
  grant{"CAP_SYS_TTY_CONFIG", {"vhangup"}},
};
static_assert(std::ranges::is_sorted(grants, {}, &grant::capability));

// personality(2): Linux and Linux32, with and without UNAME26, and the query.
constexpr std::array<std::uint64_t, 5> personalities{0x0, 0x8, 0x20000, 0x20008,
                                                     0xffffffff};

// clone(2): every CLONE_NEW* but CLONE_NEWTIME, which only clone3 can say.
constexpr std::uint64_t namespace_flags = 0x7e020000;

// socket(2): AF_VSOCK speaks to the hypervisor, and no namespace contains it.
constexpr std::uint64_t af_vsock = 40;

bool has(const std::vector<std::string>& capabilities, std::string_view name) {
  return std::ranges::find(capabilities, name) != capabilities.end();
}

oci::seccomp_rule rule(std::string_view action, names calls) {
  oci::seccomp_rule out;
  out.names.assign(calls.begin(), calls.end());
  out.action = action;
  return out;
}

oci::seccomp_rule rule(std::string_view action, std::string_view call,
                       std::vector<oci::seccomp_arg> args) {
  auto out = rule(action, names{&call, 1});
  out.args = std::move(args);
  return out;
}

names calls_of(const grant& from) {
  const auto end = std::ranges::find(from.calls, std::string_view{});
  return {from.calls.begin(), end};
}

/// Threads and children, but no namespaces. The arguments of clone3 are behind
/// a pointer, where seccomp cannot see them: ENOSYS makes libc use clone.
void restrict_clone(oci::seccomp& out) {
  const auto call = rule(allow, "clone",
                         {{0, namespace_flags, 0, "SCMP_CMP_MASKED_EQ"}});
  out.syscalls.push_back(call);
  auto absent = rule(refusal, "clone3", {});
  absent.errno_ret = ENOSYS;
  out.syscalls.push_back(std::move(absent));
}

std::vector<std::string> architectures() {
#if defined(__x86_64__)
  return {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
  return {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
  return {};
#endif
}

} // namespace

oci::seccomp default_seccomp(const std::vector<std::string>& capabilities) {
  oci::seccomp out;
  out.default_action = refusal;
  out.default_errno_ret = EPERM;
  out.architectures = architectures();
  out.syscalls.push_back(rule(allow, always));
  for (const auto value : personalities)
    out.syscalls.push_back(
      rule(allow, "personality", {{0, value, 0, "SCMP_CMP_EQ"}}));
  out.syscalls.push_back(
    rule(allow, "socket", {{0, af_vsock, 0, "SCMP_CMP_NE"}}));
  for (const auto& each : grants)
    if (has(capabilities, each.capability))
      out.syscalls.push_back(rule(allow, calls_of(each)));
  if (!has(capabilities, "CAP_SYS_ADMIN"))
    restrict_clone(out);
  return out;
}

} // namespace troupe
