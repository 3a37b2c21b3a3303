#include "runtime/launch/console.hpp"

#include "runtime/linux/fd_socket.hpp"
#include "runtime/linux/mount.hpp"
#include "runtime/linux/pty.hpp"
#include "runtime/linux/rootfs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// conmon and containerd's clients read a name beside the descriptor and only
/// check that there is one.
constexpr std::string_view master_name = "/dev/ptmx";

tl::unexpected<failure> refuse(std::string_view why) {
  return fail(failure{fault::invalid_config, EINVAL, std::string{why}});
}

/// The file `console` in `dev`, made where it is missing.
result<sys::unique_fd> open_target(int dev) {
  constexpr auto* name = "console";
  const sys::unique_fd made{::openat(
    dev, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made && errno != EEXIST)
    return fail_os(errno, "create", "/dev/console");
  TROUPE_TRY(auto target,
             sys::open_in_root(dev, name, O_PATH, sys::symlinks::refuse));
  struct stat info {};
  if (::fstat(target.get(), &info) != 0)
    return fail_os(errno, "fstat", "/dev/console");
  if (S_ISDIR(info.st_mode))
    return fail_os(EISDIR, "cover", "/dev/console");
  return target;
}

} // namespace

outcome check_console(const plan::process& process, const lines& with,
                      progress& at) {
  at = {plan::phase::console, 0};
  if (process.terminal && with.console < 0)
    return refuse("a terminal is asked for, but there is no console socket "
                  "that would take it");
  if (!process.terminal && with.console >= 0)
    return refuse("a console socket is given, but no terminal is asked for");
  return {};
}

result<sys::unique_fd> open_console(const plan::process& process,
                                    const lines& with, int root, progress& at) {
  at = {plan::phase::console, 0};
  if (!process.terminal)
    return sys::unique_fd{};
  TROUPE_TRY(auto terminal, sys::open_pty(root));
  if (process.rows != 0 || process.cols != 0)
    TROUPE_CHECK(
      sys::set_window_size(terminal.master.get(), process.rows, process.cols));
  TROUPE_CHECK(
    sys::send_with_fd(with.console, master_name, terminal.master.get()));
  ::close(with.console);
  return std::move(terminal.slave);
}

outcome place_console(int slave, int root, progress& at) {
  at = {plan::phase::console, 0};
  TROUPE_TRY(const auto dev,
             sys::open_in_root(root, "/dev", O_PATH | O_DIRECTORY,
                               sys::symlinks::refuse));
  TROUPE_TRY(const auto target, open_target(dev.get()));
  TROUPE_TRY(const auto cover, sys::clone_tree(slave, "", false));
  return sys::attach_mount(cover.get(), target.get(), "/dev/console");
}

} // namespace troupe::launch
