#include "runtime/linux/daemon.hpp"

#include "runtime/linux/file.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

outcome make_directories_above(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    if (const auto above = path.substr(0, slash);
        ::mkdir(above.c_str(), 0755) != 0 && errno != EEXIST)
      return fail_os(errno, "mkdir", above);
  return {};
}

std::string holder_of(const std::string& path) {
  auto text = read_file(AT_FDCWD, path).value_or("");
  while (text.ends_with('\n'))
    text.pop_back();
  return text.empty() ? "?" : text;
}

} // namespace

outcome make_private_directory(const std::string& path) {
  TROUPE_CHECK(make_directories_above(path));
  if (::mkdir(path.c_str(), 0700) == 0)
    return {};
  if (errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  struct stat is {};
  if (::stat(path.c_str(), &is) != 0)
    return fail_os(errno, "stat", path);
  if (!S_ISDIR(is.st_mode))
    return fail_os(ENOTDIR, "mkdir", path);
  if (is.st_uid != ::geteuid() || (is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(fault::denied, "use " + path + ": others can write to it");
  return {};
}

result<unique_fd> take_lock(const std::string& path) {
  unique_fd file{::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600)};
  if (!file)
    return fail_os(errno, "open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail(fault::already_exists, holder_of(path));
    return fail_os(errno, "flock", path);
  }
  // For whoever wants to know who holds it; a full disk is no obstacle. That
  // file is closed again: one that is open for writing keeps its file system
  // from being made read-only.
  const unique_fd own{::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)};
  (void)write_all(own.get(), std::to_string(::getpid()) + '\n');
  return file;
}

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

result<unique_fd> divert_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  unique_fd out{::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!out)
    return fail_os(errno, "signalfd", "");
  return out;
}

std::optional<int> next_signal(int signals) noexcept {
  signalfd_siginfo got{};
  if (::read(signals, &got, sizeof got) != sizeof got)
    return std::nullopt;
  return static_cast<int>(got.ssi_signo);
}

} // namespace troupe::sys
