#include "bench/harness/stuck_mount.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/readable.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace troupe::bench {

namespace {

/// The kernel's first question, whose answer makes the connection one: what
/// waits for that can still be frozen, what waits for the next cannot.
outcome answer_init(int connection) {
  std::array<char, FUSE_MIN_READ_BUFFER> request;
  if (::read(connection, request.data(), request.size()) < 0)
    return fail_os(errno, "read", "/dev/fuse");
  fuse_in_header asked{};
  std::memcpy(&asked, request.data(), sizeof asked);
  struct {
    fuse_out_header header;
    fuse_init_out init;
  } answer{};
  answer.header.len = sizeof answer;
  answer.header.unique = asked.unique;
  answer.init.major = FUSE_KERNEL_VERSION;
  answer.init.minor = FUSE_KERNEL_MINOR_VERSION;
  answer.init.max_write = 4096;
  if (::write(connection, &answer, sizeof answer) < 0)
    return fail_os(errno, "write", "/dev/fuse");
  return {};
}

} // namespace

result<stuck_mount> stuck_mount::make(pid_t pid, const std::string& directory) {
  TROUPE_TRY(auto connection,
             sys::open_file(AT_FDCWD, "/dev/fuse", O_RDWR | O_CLOEXEC));
  TROUPE_TRY(const auto target, sys::open_pidfd(pid));
  const auto options = "fd=" + std::to_string(connection.get())
                       + ",rootmode=40000,user_id=0,group_id=0";
  // A child, because a process with threads cannot change its mounts.
  const auto child = ::fork();
  if (child == 0) {
    const auto done = ::setns(target.get(), CLONE_NEWNS) == 0
                      && ::mount("stuck", directory.c_str(), "fuse",
                                 MS_NOSUID | MS_NODEV, options.c_str())
                           == 0;
    ::_exit(done ? 0 : errno);
  }
  if (child < 0)
    return fail_os(errno, "fork", "");
  auto status = 0;
  TEMP_FAILURE_RETRY(::waitpid(child, &status, 0));
  if (status != 0)
    return fail_os(WIFEXITED(status) ? WEXITSTATUS(status) : EIO, "mount fuse",
                   directory);
  TROUPE_CHECK(answer_init(connection.get()));
  return stuck_mount{std::move(connection)};
}

outcome stuck_mount::await_visitor(std::chrono::milliseconds longest) const {
  TROUPE_TRY(const auto is_there,
             sys::wait_readable(connection_.get(), longest));
  if (!is_there)
    return fail(fault::timed_out, "nobody looked into the stuck mount");
  return {};
}

} // namespace troupe::bench
