#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <string>
#include <sys/types.h>

/// What a caller hands in and gets beside stdio.
namespace troupe::oci_runtime {

/// Connects to --console-socket, a stream socket that gets the terminal's
/// master; nothing for "".
[[nodiscard]] result<sys::unique_fd> connect_console(const std::string& path);

/// Socket activation, sd_listen_fds(3): if our environment has LISTEN_FDS, so
/// many descriptors from 3 on are the program's, which is told so. Returns how
/// many.
[[nodiscard]] int pass_listen_fds(plan::process& to);

/// Fails unless `count` descriptors from 3 on are open.
[[nodiscard]] outcome check_preserved(int count);

/// Replaces `path`: whoever waits for it never reads half a number.
[[nodiscard]] outcome write_pid_file(const std::string& path, pid_t pid);

} // namespace troupe::oci_runtime
