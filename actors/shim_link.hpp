#pragma once

#include "actors/interfaces.hpp"
#include "runtime/linux/poller.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/actor_system.hpp>

namespace troupe {

/// Spawns the SHIM LINK on a connected, non-blocking socket. It reads the
/// shim's hello and records, hands `shim_synced` to whoever sent `await_sync`,
/// and serves. Ends, with fault::unavailable, when the shim is gone or speaks
/// another protocol.
[[nodiscard]] shim_link_actor spawn_shim_link(caf::actor_system& system,
                                              sys::poller& poller,
                                              sys::unique_fd socket);

} // namespace troupe
