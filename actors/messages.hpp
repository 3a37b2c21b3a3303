#pragma once

#include "actors/inspect_foreign.hpp"
#include "actors/lifecycle.hpp"
#include "config/base/clock.hpp"
#include "config/log_choice.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/timespan.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// One struct per message. A name in the imperative asks for something; a name
/// in the past tense reports a fact that can no longer be refused. Everything
/// in this header can cross to another host; what cannot (descriptors, plans)
/// is in messages_local.hpp.
namespace troupe::msg {

/// Defines inspect() and a defaulted comparison by listing the fields.
#define TROUPE_MESSAGE(type, ...)                                              \
  friend bool operator==(const type&, const type&) = default;                  \
  template <class Inspector>                                                   \
  friend auto inspect(Inspector& f, type& x) {                                 \
    static_cast<void>(x);                                                      \
    return f(caf::meta::type_name(#type) __VA_OPT__(, ) __VA_ARGS__);          \
  }

// -- descriptors --------------------------------------------------------------

using shared_fd = std::shared_ptr<sys::unique_fd>;

/// Descriptors that a request brings along. They do not cross to another host:
/// there none arrives.
struct descriptors {
  std::vector<shared_fd> all;
  friend bool operator==(const descriptors&, const descriptors&) = default;
  template <class Inspector>
  friend auto inspect(Inspector& f, descriptors&) {
    return f(caf::meta::type_name("descriptors"));
  }
};

// -- what is known of a container ---------------------------------------------

/// What a log has dropped for one reason: "ENOSPC".
struct log_drop {
  std::string reason;
  std::int64_t bytes = 0;
  TROUPE_MESSAGE(log_drop, x.reason, x.bytes)
};

/// What a process's output has come to. Bytes in = logged + dropped + what is
/// kept for the next write.
struct output_counters {
  std::int64_t bytes_in = 0;
  std::int64_t logged = 0;
  std::int64_t dropped = 0;
  std::vector<log_drop> drops; ///< They add up to `dropped`.
  std::string error;           ///< Why its log cannot be written, or could not.
  std::uint32_t clients = 0;   ///< Attached now.
  std::int64_t clients_dropped = 0; ///< Bytes, by the policy of a client.
  TROUPE_MESSAGE(output_counters, x.bytes_in, x.logged, x.dropped, x.drops,
                 x.error, x.clients, x.clients_dropped)
};

/// An immutable picture of a container, published whenever it changes.
struct snapshot {
  std::string id;
  lifecycle::status status = lifecycle::status::creating;
  std::int32_t pid = 0;       ///< Of init, in the supervisor's pid namespace.
  std::int32_t exit_code = 0; ///< The shell's: code, or 128 + signal.
  std::int32_t exit_signal = 0;
  bool oom_killed = false;
  std::int64_t oom_kills = 0;
  std::string error; ///< Why it could not start, or was lost; else empty.
  std::string bundle;
  std::string rootfs;
  std::vector<std::string> args;
  std::string hostname;
  std::string cgroup;       ///< Below each hierarchy's root; "": it has none.
  bool own_network = false; ///< Not the host's.
  time_ns created = 0;
  time_ns started = 0;
  time_ns finished = 0;
  std::string log_driver; ///< log_choice::driver
  std::string log_path;   ///< Of a file or a socket; "": it has none.
  std::string log_mode;   ///< log_choice::mode
  output_counters output;
  /// What the paths of its files for other tools begin with; "": it has none.
  std::string files;
  bool auto_remove = false;
  bool stdin_open = false;
  bool terminal = false; ///< Its stdio is one.
  std::vector<std::string> annotation_keys;
  std::vector<std::string> annotation_values;
  /// What it is waiting for ("start", "teardown: cgroup busy"), since when.
  std::string waiting_for;
  time_ns waiting_since = 0;
  std::vector<std::string> execs; ///< Ids of its sessions.
  TROUPE_MESSAGE(snapshot, x.id, x.status, x.pid, x.exit_code, x.exit_signal,
                 x.oom_killed, x.oom_kills, x.error, x.bundle, x.rootfs, x.args,
                 x.hostname, x.cgroup, x.own_network, x.created, x.started,
                 x.finished, x.log_driver, x.log_path, x.log_mode, x.output,
                 x.files, x.auto_remove, x.stdin_open, x.terminal,
                 x.annotation_keys, x.annotation_values, x.waiting_for,
                 x.waiting_since, x.execs)
};

/// A snapshot that is not copied again: a list of a thousand is a thousand
/// pointers. On the wire it is the snapshot itself.
class shared_snapshot {
public:
  shared_snapshot() : shared_snapshot(snapshot{}) {
  }
  shared_snapshot(snapshot x)
    : of_(std::make_shared<const snapshot>(std::move(x))) {
  }
  operator const snapshot&() const noexcept {
    return *of_;
  }
  const snapshot* operator->() const noexcept {
    return of_.get();
  }
  /// Not only an equal one.
  [[nodiscard]] bool is(const shared_snapshot& x) const noexcept {
    return of_ == x.of_;
  }
  friend bool operator==(const shared_snapshot& a, const shared_snapshot& b) {
    return *a.of_ == *b.of_;
  }
  template <class Inspector>
  friend auto inspect(Inspector& f, shared_snapshot& x) {
    auto copy = *x.of_;
    const auto load = [&]() -> caf::error {
      x = shared_snapshot{std::move(copy)};
      return caf::none;
    };
    return f(copy, caf::meta::load_callback(load));
  }

private:
  std::shared_ptr<const snapshot> of_; ///< Never null.
};

struct snapshots {
  std::vector<shared_snapshot> all;
  TROUPE_MESSAGE(snapshots, x.all)
};

enum class exec_status : std::uint8_t { creating, created, running, stopped };

struct exec_snapshot {
  std::string container;
  std::string id;
  exec_status status = exec_status::creating;
  std::int32_t pid = 0;
  std::int32_t exit_code = 0;
  std::int32_t exit_signal = 0;
  std::string error;
  std::vector<std::string> args;
  bool terminal = false;
  bool timed_out = false; ///< It was killed when its time was over.
  output_counters output;
  std::string files; ///< As in `snapshot`.
  time_ns created = 0;
  time_ns started = 0;
  time_ns finished = 0;
  TROUPE_MESSAGE(exec_snapshot, x.container, x.id, x.status, x.pid, x.exit_code,
                 x.exit_signal, x.error, x.args, x.terminal, x.timed_out,
                 x.output, x.files, x.created, x.started, x.finished)
};

/// One process of a container, from /proc.
struct process_info {
  std::int32_t pid = 0;
  std::int32_t ppid = 0;
  std::int32_t inner_pid = 0; ///< As the container's processes see it.
  std::uint32_t uid = 0;
  std::string state; ///< "S", "R", "D"...
  std::int64_t cpu_ms = 0;
  std::int64_t rss = 0; ///< Bytes.
  std::string command;
  TROUPE_MESSAGE(process_info, x.pid, x.ppid, x.inner_pid, x.uid, x.state,
                 x.cpu_ms, x.rss, x.command)
};

struct process_list {
  std::vector<process_info> all;
  TROUPE_MESSAGE(process_list, x.all)
};

/// What one container has used: libcontainer's Stats, and execdriver's
/// ResourceStats around them.
struct stats {
  std::string id;
  time_ns read = 0;
  cgroup::stats used;
  std::vector<sys::net_counters> network; ///< None of the host's own.
  sys::host_cpu host;                     ///< At the same time.
  output_counters output;
  TROUPE_MESSAGE(stats, x.id, x.read, x.used, x.network, x.host, x.output)
};

// -- requests to the supervisor -----------------------------------------------

/// Creates a container from a bundle (its config.json, or `spec` in its
/// place), or from a rootfs alone. `options` is run_options as JSON.
struct create_container {
  std::string id;     ///< Empty: a random one.
  std::string bundle; ///< Absolute; empty if `rootfs` is given.
  std::string rootfs; ///< Absolute.
  std::string spec;   ///< config.json text; empty: the bundle's, or defaults.
  std::string options;
  bool open_stdin = false;
  bool auto_remove = false; ///< `run --rm`
  log_choice log;
  /// With the driver passthrough: its stdin, stdout and stderr.
  descriptors stdio;
  TROUPE_MESSAGE(create_container, x.id, x.bundle, x.rootfs, x.spec, x.options,
                 x.open_stdin, x.auto_remove, x.log, x.stdio)
};

/// Finds a container by id or by an unambiguous beginning of one.
struct find_container {
  std::string id;
  TROUPE_MESSAGE(find_container, x.id)
};

struct list_containers {
  TROUPE_MESSAGE(list_containers)
};

struct describe_host {
  TROUPE_MESSAGE(describe_host)
};

/// Has another program take the shim's place; answers with the new facts.
struct upgrade_shim {
  std::string program; ///< Empty: the one that a new shim would be.
  TROUPE_MESSAGE(upgrade_shim, x.program)
};

struct host_info {
  std::string version;
  std::int32_t pid = 0;
  std::int32_t shim_pid = 0;
  std::string shim_version;
  std::uint32_t spare_launchers = 0; ///< That the shim keeps ready.
  time_ns started = 0;
  std::string root;
  std::string state;
  std::string kernel;
  std::string cgroup_mode;
  std::string cgroup_parent;
  std::int64_t containers = 0;
  std::int64_t running = 0;
  std::int64_t paused = 0;
  std::int64_t stopped = 0;
  std::int64_t last_seq = 0;
  TROUPE_MESSAGE(host_info, x.version, x.pid, x.shim_pid, x.shim_version,
                 x.spare_launchers, x.started, x.root, x.state, x.kernel,
                 x.cgroup_mode, x.cgroup_parent, x.containers, x.running,
                 x.paused, x.stopped, x.last_seq)
};

/// Ends the supervisor; with `stop_containers`, every container and the shim
/// too. Answered before the end.
struct shut_down {
  bool stop_containers = false;
  caf::timespan grace{0};
  TROUPE_MESSAGE(shut_down, x.stop_containers, x.grace)
};

/// A container changed; the SUPERVISOR keeps the newest for everyone.
struct container_changed {
  shared_snapshot now;
  TROUPE_MESSAGE(container_changed, x.now)
};

// -- requests to a container --------------------------------------------------

struct start {
  TROUPE_MESSAGE(start)
};

struct kill {
  std::int32_t signo = 15;
  bool all = false; ///< Every process in its cgroup, not init alone.
  TROUPE_MESSAGE(kill, x.signo, x.all)
};

struct stop {
  std::int32_t signo = 15;
  caf::timespan grace{0};
  TROUPE_MESSAGE(stop, x.signo, x.grace)
};

struct pause {
  TROUPE_MESSAGE(pause)
};

struct resume {
  TROUPE_MESSAGE(resume)
};

/// Changes limits: `resources` is linux.resources as JSON, with those that are
/// to change.
struct update {
  std::string resources;
  TROUPE_MESSAGE(update, x.resources)
};

struct remove {
  bool force = false;
  TROUPE_MESSAGE(remove, x.force)
};

struct take_snapshot {
  TROUPE_MESSAGE(take_snapshot)
};

struct list_processes {
  TROUPE_MESSAGE(list_processes)
};

struct read_stats {
  TROUPE_MESSAGE(read_stats)
};

/// Opens an exec session. Unset fields are the container's own.
struct create_exec {
  std::vector<std::string> args;
  std::vector<std::string> env; ///< Added to the container's.
  std::string cwd;
  std::string user;
  std::vector<std::string> cap_add;
  bool open_stdin = false;
  bool tty = false; ///< A terminal of that size, in characters; 0: unknown.
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  caf::timespan timeout{0}; ///< Killed when it has run so long; 0: never.
  /// Bytes of stdout, and of stderr, that are kept for `take_output`; 0: none.
  std::int64_t capture = 0;
  bool ignore_paused = false;    ///< Else a paused container is refused.
  bool files = false;            ///< For other tools: shim::launch::files.
  std::int64_t preserve_fds = 0; ///< So many, from 3 on:
  descriptors preserved;
  TROUPE_MESSAGE(create_exec, x.args, x.env, x.cwd, x.user, x.cap_add,
                 x.open_stdin, x.tty, x.rows, x.cols, x.timeout, x.capture,
                 x.ignore_paused, x.files, x.preserve_fds, x.preserved)
};

/// Opens the container's log file by its path again.
struct reopen_log {
  TROUPE_MESSAGE(reopen_log)
};

/// Sets the size of a process's terminal, in characters.
struct resize_terminal {
  std::uint16_t rows = 0;
  std::uint16_t cols = 0;
  TROUPE_MESSAGE(resize_terminal, x.rows, x.cols)
};

struct find_exec {
  std::string id;
  TROUPE_MESSAGE(find_exec, x.id)
};

struct forget_execs {
  TROUPE_MESSAGE(forget_execs)
};

/// An operation without anything to say beyond its success.
struct done {
  TROUPE_MESSAGE(done)
};

// -- facts --------------------------------------------------------------------

/// To whom waits: the container has ended. Sent at once if it already had.
struct exited {
  snapshot last;
  TROUPE_MESSAGE(exited, x.last)
};

/// To whom waits: the exec session has ended.
struct exec_exited {
  exec_snapshot last;
  TROUPE_MESSAGE(exec_exited, x.last)
};

/// From the OOM WATCHER: the counter stands at `oom_kills`.
struct oom_observed {
  std::int64_t oom_kills = 0;
  time_ns at = 0;
  TROUPE_MESSAGE(oom_observed, x.oom_kills, x.at)
};

/// From the PRESSURE WATCHER: trigger `trigger` of the plan has fired.
struct pressure_observed {
  std::uint32_t trigger = 0;
  time_ns at = 0;
  TROUPE_MESSAGE(pressure_observed, x.trigger, x.at)
};

// -- events -------------------------------------------------------------------

/// A line of the event log. `seq` is 0 until it is committed.
struct event {
  std::int64_t seq = 0;
  time_ns time = 0;
  std::string container;
  std::string type; ///< created, started, oom, paused, resumed, exited...
  std::string data; ///< A JSON object, "{}" at least.
  /// Events of the same key are written once, however often they are appended:
  /// what was committed before a crash is appended again after it.
  std::string once;
  TROUPE_MESSAGE(event, x.seq, x.time, x.container, x.type, x.data, x.once)
};

struct append_events {
  std::vector<event> events;
  TROUPE_MESSAGE(append_events, x.events)
};

/// The events are on disk; `last_seq` is the newest of the log.
struct events_committed {
  std::int64_t last_seq = 0;
  TROUPE_MESSAGE(events_committed, x.last_seq)
};

/// Reads at most `limit` events after `since`.
struct read_events {
  std::int64_t since = 0;
  std::int64_t limit = 256;
  std::string container; ///< Empty: all.
  std::string type;      ///< Empty: all.
  TROUPE_MESSAGE(read_events, x.since, x.limit, x.container, x.type)
};

struct events {
  std::vector<event> all;
  std::int64_t last_seq = 0; ///< The newest of the whole log.
  TROUPE_MESSAGE(events, x.all, x.last_seq)
};

// -- internal -----------------------------------------------------------------

/// INTERNAL: a deadline that an actor set itself. `generation` tells late ones
/// apart: CAF 0.17 cannot cancel a delayed message.
struct deadline {
  std::uint8_t of = 0;
  std::uint64_t generation = 0;
  caf::timespan at{0}; ///< Since boot.
  TROUPE_MESSAGE(deadline, x.of, x.generation, x.at)
};

} // namespace troupe::msg
