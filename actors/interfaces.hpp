#pragma once

#include "actors/fwd.hpp"
#include "actors/messages.hpp"
#include "actors/messages_local.hpp"

#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// The map of the system: every typed actor, one comment per clause. Whatever
/// can fail replies; facts react.
namespace troupe {

// -- what runs on a descriptor or a disk
// ----------------------------------------

/// FD OWNER: anyone whose descriptor the reactor watches.
using fd_owner_actor = protocol<
  // The descriptor is ready; the watch is disarmed until it is armed again.
  caf::reacts_to<msg::fd_ready>>::actor;

/// PROCESS OWNER: the actor that stands for one process of the shim's.
using process_owner_actor = protocol<
  // The newest record of its process.
  caf::reacts_to<msg::process_changed>,
  // Something to be logged about it.
  caf::reacts_to<msg::process_warned>>::actor;

namespace msg {

/// Sends `key`'s records to `owner` from now on, the newest one at once.
struct own_process {
  shim::process_key key;
  process_owner_actor owner;
};

struct disown_process {
  shim::process_key key;
};

} // namespace msg

/// SYNC LISTENER: told once what the shim held when the link was made.
using sync_listener_actor = protocol<caf::reacts_to<msg::shim_synced>>::actor;

namespace msg {

/// Sends `shim_synced` to `listener` as soon as the shim has told everything;
/// at once, if it has.
struct await_sync {
  sync_listener_actor listener;
};

} // namespace msg

/// SHIM LINK: the one socket to the shim. Ends when the shim is gone, with
/// `fault::unavailable`.
using shim_link_actor = protocol<
  // Sends a request to the shim; answers with the shim's reply.
  caf::replies_to<msg::shim_call>::with<msg::shim_answer>,
  // Routes a process's records.
  caf::reacts_to<msg::own_process>, caf::reacts_to<msg::disown_process>,
  // Wants to know what there is to adopt.
  caf::reacts_to<msg::await_sync>,
  // The socket is readable or writable.
  caf::reacts_to<msg::fd_ready>>::actor;

/// PLANNER: parses, validates and compiles. Detached: a seccomp profile takes
/// tens of milliseconds, and files are read.
using planner_actor = protocol<
  // A container's request, bundle or rootfs -> its plan.
  caf::replies_to<msg::compile_launch>::with<msg::compiled_launch>,
  // An exec request in a container -> its plan.
  caf::replies_to<msg::compile_exec>::with<msg::compiled_exec>,
  // A program's file -> a sealed copy.
  caf::replies_to<msg::copy_program>::with<msg::program>>::actor;

/// UPDATER: changes the limits of one container once, and ends. Detached: the
/// kernel reclaims memory meanwhile, and files are read.
using updater_actor = protocol<
  // New limits, all or none -> the plan with them.
  caf::replies_to<msg::change_limits>::with<msg::limits>>::actor;

/// EVENT SUBSCRIBER: told that there is something to read, not what: it reads
/// from the log at its own pace.
using event_subscriber_actor
  = protocol<caf::reacts_to<msg::events_committed>>::actor;

namespace msg {

struct subscribe_events {
  event_subscriber_actor subscriber;
};

} // namespace msg

/// EVENT LOG: sequence numbers and SQLite. Detached: it waits for the disk.
using event_log_actor = protocol<
  // Writes events; answers once they are on disk.
  caf::replies_to<msg::append_events>::with<msg::events_committed>,
  // Reads events.
  caf::replies_to<msg::read_events>::with<msg::events>,
  // Which of these are written already.
  caf::replies_to<msg::find_told>::with<msg::told>,
  // Tells `subscriber` of every commit until it ends; the newest seq at once.
  caf::reacts_to<msg::subscribe_events>,
  // INTERNAL: writes what has gathered in one transaction.
  caf::reacts_to<msg::deadline>>::actor;

// -- containers ---------------------------------------------------------------

/// EXIT LISTENER: anyone who waits for a container's end.
using exit_listener_actor = protocol<caf::reacts_to<msg::exited>>::actor;

/// EXEC LISTENER: anyone who waits for an exec session's end.
using exec_listener_actor = protocol<caf::reacts_to<msg::exec_exited>>::actor;

namespace msg {

/// Sends `exited` to `listener`: at once, if the container has ended.
struct await_exit {
  exit_listener_actor listener;
};

struct await_exec {
  exec_listener_actor listener;
};

} // namespace msg

/// EXEC SESSION: one further process in a container.
using exec_session_actor = protocol<
  // Launches it up to the start barrier. The CONTAINER's first message.
  caf::replies_to<msg::create_exec>::with<msg::exec_snapshot>,
  // Lets the waiting process go on; answers once it has executed.
  caf::replies_to<msg::start>::with<msg::exec_snapshot>,
  // Signals it.
  caf::replies_to<msg::kill>::with<msg::exec_snapshot>,
  // Terminates it; after the grace period, kills it and all that it has
  // started. Answers once nothing of it runs.
  caf::replies_to<msg::stop>::with<msg::exec_snapshot>,
  // What it has captured, once it has ended.
  caf::replies_to<msg::take_output>::with<msg::captured>,
  // Hands a client's connection to it.
  caf::replies_to<msg::attach>::with<msg::done>,
  // Its terminal has another size from now on.
  caf::replies_to<msg::resize_terminal>::with<msg::done>,
  // Its state now.
  caf::replies_to<msg::take_snapshot>::with<msg::exec_snapshot>,
  // Forgets it, killing it first with `force`. Ends the actor.
  caf::replies_to<msg::remove>::with<msg::exec_snapshot>,
  // Waits for its end.
  caf::reacts_to<msg::await_exec>,
  // INTERNAL: the time to remember an ended session is over.
  caf::reacts_to<msg::deadline>>
  // Hears of its process.
  ::plus<process_owner_actor>::actor;

namespace msg {

struct exec_created {
  exec_snapshot now;
  exec_session_actor session;
};

} // namespace msg

/// CONTAINER: owns one container's status. The only writer of it.
using container_actor = protocol<
  // Launches it up to the start barrier. The SUPERVISOR's first message.
  caf::replies_to<msg::create_container>::with<msg::snapshot>,
  // Lets init go on to its exec; answers once it has executed.
  caf::replies_to<msg::start>::with<msg::snapshot>,
  // Signals init, or all.
  caf::replies_to<msg::kill>::with<msg::snapshot>,
  // Terminates; after the grace period, kills. Answers once reaped.
  caf::replies_to<msg::stop>::with<msg::snapshot>,
  // Freezes; answers once every task is frozen.
  caf::replies_to<msg::pause>::with<msg::snapshot>,
  // Thaws.
  caf::replies_to<msg::resume>::with<msg::snapshot>,
  // Changes its limits: all that is asked for, or nothing.
  caf::replies_to<msg::update>::with<msg::snapshot>,
  // Removes it from the host, killing it first with `force`. Ends the actor.
  caf::replies_to<msg::remove>::with<msg::snapshot>,
  // Its state now.
  caf::replies_to<msg::take_snapshot>::with<msg::snapshot>,
  // Its processes, from its cgroup and /proc.
  caf::replies_to<msg::list_processes>::with<msg::process_list>,
  // Its counters.
  caf::replies_to<msg::read_stats>::with<msg::stats>,
  // Hands a client's connection to its init.
  caf::replies_to<msg::attach>::with<msg::done>,
  // Its terminal has another size from now on.
  caf::replies_to<msg::resize_terminal>::with<msg::done>,
  // Opens its log file by its path again.
  caf::replies_to<msg::reopen_log>::with<msg::done>,
  // Opens an exec session, up to its start barrier.
  caf::replies_to<msg::create_exec>::with<msg::exec_created>,
  // One of its sessions.
  caf::replies_to<msg::find_exec>::with<msg::exec_created>,
  // Removes its sessions, killing those that run.
  caf::replies_to<msg::forget_execs>::with<msg::done>,
  // Waits for its end.
  caf::reacts_to<msg::await_exit>,
  // From its OOM WATCHER.
  caf::reacts_to<msg::oom_observed>,
  // From its PRESSURE WATCHER.
  caf::reacts_to<msg::pressure_observed>,
  // INTERNAL: a deadline or a look at the freezer is due.
  caf::reacts_to<msg::deadline>>
  // Hears of its init.
  ::plus<process_owner_actor>::actor;

/// OOM WATCHER: turns a memory cgroup's notices into `oom_observed`.
using oom_watcher_actor = protocol<
  // INTERNAL: what a notice was about may be counted by now.
  caf::reacts_to<msg::deadline>>::plus<fd_owner_actor>::actor;

/// PRESSURE WATCHER: turns PSI triggers into `pressure_observed`.
using pressure_watcher_actor = fd_owner_actor;

namespace msg {

struct container_found {
  shared_snapshot now;
  container_actor container;
};

} // namespace msg

/// SUPERVISOR: knows every container of this host, and the newest snapshot of
/// each. The only one that creates containers. Never waits for one.
using supervisor_actor = protocol<
  // Creates a container; answers once its init waits for `start`.
  caf::replies_to<msg::create_container>::with<msg::snapshot>,
  // A container's handle.
  caf::replies_to<msg::find_container>::with<msg::container_found>,
  // Every container's newest snapshot.
  caf::replies_to<msg::list_containers>::with<msg::snapshots>,
  // Facts about host and supervisor.
  caf::replies_to<msg::describe_host>::with<msg::host_info>,
  // Upgrades the shim in place.
  caf::replies_to<msg::upgrade_shim>::with<msg::host_info>,
  // Stops the containers if asked, and then the supervisor.
  caf::replies_to<msg::shut_down>::with<msg::done>,
  // From a CONTAINER.
  caf::reacts_to<msg::container_changed>,
  // From the SHIM LINK: adopts what is there, or notes what has changed.
  caf::reacts_to<msg::shim_synced>,
  // INTERNAL.
  caf::reacts_to<msg::deadline>>::actor;

/// USAGE SUBSCRIBER: gets each look at all containers.
using usage_subscriber_actor
  = protocol<caf::reacts_to<msg::usage_sampled>>::actor;

namespace msg {

struct subscribe_usage {
  usage_subscriber_actor subscriber;
};

struct unsubscribe_usage {
  usage_subscriber_actor subscriber;
};

} // namespace msg

/// SAMPLER: looks at what every running container uses, once a second for all
/// who want to know, and not at all if nobody does. Detached: it reads some
/// thousand small files.
using sampler_actor = protocol<
  // A look now.
  caf::replies_to<msg::sample_usage>::with<msg::usage_sampled>,
  // A look each second, the first one at once, until it ends or has enough.
  caf::reacts_to<msg::subscribe_usage>, caf::reacts_to<msg::unsubscribe_usage>,
  // INTERNAL: the next look is due, or nobody has asked for a while.
  caf::reacts_to<msg::deadline>>::actor;

namespace msg {

template <class Inspector>
auto inspect(Inspector& f, subscribe_usage& x) {
  return f(caf::meta::type_name("subscribe_usage"), x.subscriber);
}

template <class Inspector>
auto inspect(Inspector& f, unsubscribe_usage& x) {
  return f(caf::meta::type_name("unsubscribe_usage"), x.subscriber);
}

template <class Inspector>
auto inspect(Inspector& f, own_process& x) {
  return f(caf::meta::type_name("own_process"), x.key, x.owner);
}

template <class Inspector>
auto inspect(Inspector& f, await_sync& x) {
  return f(caf::meta::type_name("await_sync"), x.listener);
}

template <class Inspector>
auto inspect(Inspector& f, disown_process& x) {
  return f(caf::meta::type_name("disown_process"), x.key);
}

template <class Inspector>
auto inspect(Inspector& f, subscribe_events& x) {
  return f(caf::meta::type_name("subscribe_events"), x.subscriber);
}

template <class Inspector>
auto inspect(Inspector& f, await_exit& x) {
  return f(caf::meta::type_name("await_exit"), x.listener);
}

template <class Inspector>
auto inspect(Inspector& f, await_exec& x) {
  return f(caf::meta::type_name("await_exec"), x.listener);
}

template <class Inspector>
auto inspect(Inspector& f, exec_created& x) {
  return f(caf::meta::type_name("exec_created"), x.now, x.session);
}

template <class Inspector>
auto inspect(Inspector& f, container_found& x) {
  return f(caf::meta::type_name("container_found"), x.now, x.container);
}

} // namespace msg

} // namespace troupe

// CAF 0.17 sends these names, not the numbers, to other nodes: renaming a type
// breaks the wire, reordering does not. First everything that can cross the
// wire (tests/unit/actors/wire_test.cpp round-trips up to `troupe_wire_end`),
// then what is local to a process.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_wire, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(troupe_wire, (troupe::lifecycle::status))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::exec_status))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::snapshot))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::snapshots))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::exec_snapshot))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::process_info))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::process_list))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::stats))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::create_container))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::find_container))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::list_containers))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::describe_host))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::host_info))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::upgrade_shim))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::shut_down))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::container_changed))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::start))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::kill))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::resize_terminal))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::reopen_log))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::stop))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::pause))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::resume))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::update))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::remove))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::take_snapshot))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::list_processes))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::read_stats))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::create_exec))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::find_exec))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::forget_execs))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::done))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::exited))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::exec_exited))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::oom_observed))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::pressure_observed))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::event))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::append_events))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::events_committed))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::read_events))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::events))
  CAF_ADD_TYPE_ID(troupe_wire, (troupe::msg::deadline))

CAF_END_TYPE_ID_BLOCK(troupe_wire)

// Crosses the wire, too, and brings handles along.
CAF_BEGIN_TYPE_ID_BLOCK(troupe_handles, caf::id_block::troupe_wire::end)

  CAF_ADD_TYPE_ID(troupe_handles, (troupe::exit_listener_actor))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::exec_listener_actor))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::exec_session_actor))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::container_actor))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::supervisor_actor))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::msg::await_exit))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::msg::await_exec))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::msg::exec_created))
  CAF_ADD_TYPE_ID(troupe_handles, (troupe::msg::container_found))

CAF_END_TYPE_ID_BLOCK(troupe_handles)

CAF_BEGIN_TYPE_ID_BLOCK(troupe_local, caf::id_block::troupe_handles::end)

  CAF_ADD_TYPE_ID(troupe_local, (troupe::fd_owner_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::process_owner_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::oom_watcher_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::shim_link_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::planner_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::updater_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::event_subscriber_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::event_log_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::sync_listener_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::await_sync))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::own_process))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::disown_process))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::subscribe_events))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::shim_call))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::shim_answer))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::process_changed))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::process_warned))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::shim_synced))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::fd_ready))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::usage_subscriber_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::sampler_actor))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::subscribe_usage))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::unsubscribe_usage))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::usage_sampled))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::sample_usage))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::compile_launch))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::change_limits))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::limits))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::compiled_launch))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::find_told))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::told))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::copy_program))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::program))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::compile_exec))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::compiled_exec))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::attach))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::take_output))
  CAF_ADD_TYPE_ID(troupe_local, (troupe::msg::captured))

CAF_END_TYPE_ID_BLOCK(troupe_local)
