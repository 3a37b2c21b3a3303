#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

/// What trouped and the service manager that has started it tell each other:
/// systemd, or whoever speaks its protocol (sd_notify(3), sd_listen_fds(3),
/// sd_watchdog_enabled(3)). Without one, nothing happens.
namespace troupe::service_manager {

/// The listening SOCK_STREAM unix socket that it has passed us; invalid: none.
/// Anything else that it passes is refused. To be called before there are
/// threads or children.
[[nodiscard]] result<sys::unique_fd> passed_socket();

/// The path that a unix socket is bound to.
[[nodiscard]] result<std::string> path_of(const sys::unique_fd& socket);

/// Milliseconds between two signs of life that it wants; -1: it wants none.
[[nodiscard]] int pulse_ms() noexcept;

/// We serve; also the end of a reload, with how it went.
void tell_ready(const std::string& status);
void tell_reloading();
void tell_stopping();
void tell_alive();

} // namespace troupe::service_manager
