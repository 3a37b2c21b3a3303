#pragma once

#include "actors/cluster/messages.hpp"
#include "runtime/linux/poller.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>

/// A byte stream between two nodes: one PIPE at each end, each with a
/// descriptor. Each tells the other how many bytes it has room for, and sends
/// no more than it was told: who reads slowly fills nobody's memory.
namespace troupe::gateway {

/// The end where the process is: offers the other one to `caller`, by
/// msg::remote_upgrade, and gives up if nobody comes.
void offer_pipe(caf::actor_system& system, sys::poller& reactor,
                sys::unique_fd fd, remote_caller_actor caller);

/// The end where the client is; `peer` is who has offered.
void join_pipe(caf::actor_system& system, sys::poller& reactor,
               sys::unique_fd fd, const caf::strong_actor_ptr& peer);

} // namespace troupe::gateway
