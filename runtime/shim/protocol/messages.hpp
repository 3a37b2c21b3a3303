#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"
#include "runtime/shim/protocol/version.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What the supervisor and the shim say to each other over ROOT/shim.sock:
/// SOCK_SEQPACKET, one CBOR message a packet, descriptors by SCM_RIGHTS.
///
///   supervisor                                   shim
///     ◀──────────────────────── hello, every record, synced
///     launch(key) + plan memfd ─▶
///     ◀──────────────────────── record(launching), record(created), reply
///     start(key) ───────────────▶
///     ◀──────────────────────── record(running), reply
///     ◀──────────────────────── record(exited)      kept and sent again on
///     (commits the exit)                             every new connection
///     forget(key) ──────────────▶ the record is gone
///
/// A record always carries the whole state of its process, so records may be
/// repeated, and the newest one is all that matters: the shim queues none, it
/// only remembers which keys the supervisor has not seen since they changed.
namespace troupe::shim {

/// A process of the shim's: `web-1` (a container's init) or `web-1/3f2a` (an
/// exec session of it).
using process_key = std::string;

// -- supervisor to shim -------------------------------------------------------

/// Has the shim make place for another program, in the same process: its
/// children stay its children, its clients stay attached, and this connection
/// goes on with a new hello. fds: [the program, a sealed memfd]. Refused,
/// and nothing is changed, if that program cannot take over; else the new one
/// replies.
///
/// The one request that a shim of another version understands, too: always the
/// first alternative, always these members.
struct upgrade {
  std::uint64_t seq = 0;
  std::uint32_t protocol = protocol_version; ///< That the supervisor speaks.
  friend bool operator==(const upgrade&, const upgrade&) = default;
};

/// Where output goes beside the attached clients.
enum class log_driver : std::uint8_t {
  none,
  k8s_file,    ///< runtime/log/cri.hpp
  json_file,   ///< runtime/log/json_lines.hpp
  journald,    ///< systemd's journal, by its native protocol.
  passthrough, ///< The process has the caller's own descriptors: no client gets
               ///< anything.
  capture,     ///< Two files of the supervisor's, stdout and stderr, as it was.
};

/// What happens while a reader, a log or a client, does not take output.
enum class overflow : std::uint8_t {
  block, ///< The process waits, as on any pipe.
  drop,  ///< Output is dropped and counted.
};

struct log_options {
  log_driver driver = log_driver::none;
  std::string path; ///< Of the file, or of the journal's socket.
  std::int64_t max_size = 16 << 20; ///< Bytes; rotated beyond. 0: never. Of a
                                    ///< capture: the rest is dropped.
  std::uint32_t max_files = 5;      ///< path.1 … path.N kept.
  overflow when_full = overflow::drop;
  friend bool operator==(const log_options&, const log_options&) = default;
};

/// Forks a launcher. fds: [plan memfd], then of a passthrough [stdin, stdout,
/// stderr], of a capture [stdout, stderr], then those to preserve. The reply
/// comes when init waits (created), or the launch has failed.
struct launch {
  std::uint64_t seq = 0;
  process_key key;
  process_key target;      ///< Empty: a launch_plan; else an exec_plan, in it.
  bool open_stdin = false; ///< A pipe for attached clients; else /dev/null.
  /// Its plan has a terminal: that is all its stdio, and always open.
  bool terminal = false;
  log_options log;
  std::uint32_t replay = 0; ///< Bytes of output kept for later clients.
  /// Of descriptors that the process gets, from 3 on.
  std::uint32_t preserve_fds = 0;
  /// An exec session into a container that is known to be paused waits for
  /// its end.
  bool ignore_paused = false;
  /// Where `attach` (a socket), `pid` and `exit` are made, for other tools: a
  /// prefix of their paths. Empty: nowhere.
  std::string files;
  time_ns timeout = 0; ///< Kept for the supervisor, which enforces it.
  friend bool operator==(const launch&, const launch&) = default;
};

/// Lets the waiting init go on to its exec; replies once that has succeeded or
/// failed.
struct start {
  std::uint64_t seq = 0;
  process_key key;
  friend bool operator==(const start&, const start&) = default;
};

/// Signals the process. Kills the launcher too while it still runs.
struct signal {
  std::uint64_t seq = 0;
  process_key key;
  std::int32_t signo = 0;
  friend bool operator==(const signal&, const signal&) = default;
};

/// What is spoken on a client's socket: frames.hpp.
enum class framing : std::uint8_t {
  frames,    ///< Of the engine API; ends with a status frame.
  raw,       ///< Bytes alone, both ways, and no status.
  websocket, ///< RFC 6455; its handshake is done.
  packets,   ///< conmon's, on SOCK_SEQPACKET.
};

/// Hands over a client's stream socket. fds: [socket]. From here on the shim
/// owns it; it ends when the process has exited and all output is delivered.
struct attach {
  std::uint64_t seq = 0;
  process_key key;
  bool with_stdin = false;
  bool with_output = true;
  shim::framing framing = shim::framing::frames;
  overflow when_full = overflow::block;
  std::uint32_t replay = 0; ///< Bytes of earlier output first, at most.
  friend bool operator==(const attach&, const attach&) = default;
};

/// Sets the size of the process's terminal, in characters.
struct resize {
  std::uint64_t seq = 0;
  process_key key;
  std::uint16_t rows = 0;
  std::uint16_t cols = 0;
  friend bool operator==(const resize&, const resize&) = default;
};

/// Opens the process's log file by its path again: somebody has moved it.
struct reopen_log {
  std::uint64_t seq = 0;
  process_key key;
  friend bool operator==(const reopen_log&, const reopen_log&) = default;
};

/// Forks a cleaner (launch::run_teardown) for a container whose init is gone.
/// fds: [plan memfd]. Replies when it is done; hook failures are warnings.
struct teardown {
  std::uint64_t seq = 0;
  process_key key;
  friend bool operator==(const teardown&, const teardown&) = default;
};

/// Forks a runner of the poststart hooks. fds: [plan memfd]. Replies when done
/// or at the first hook that fails.
struct poststart {
  std::uint64_t seq = 0;
  process_key key;
  friend bool operator==(const poststart&, const poststart&) = default;
};

/// Drops an exited or failed record: the supervisor has committed it. Attached
/// clients still get what is theirs.
struct forget {
  std::uint64_t seq = 0;
  process_key key;
  friend bool operator==(const forget&, const forget&) = default;
};

/// Makes the shim exit as soon as it holds no process; refused while it does.
struct quit {
  std::uint64_t seq = 0;
  friend bool operator==(const quit&, const quit&) = default;
};

using request = std::variant<upgrade, launch, start, signal, attach, resize,
                             reopen_log, teardown, poststart, forget, quit>;

// -- shim to supervisor -------------------------------------------------------

/// Always the first alternative, and always begins with these two members.
struct hello {
  std::uint32_t protocol = protocol_version;
  std::string version; ///< Of the program.
  std::int32_t pid = 0;
  std::uint32_t spare_launchers = 0; ///< Kept ready (runtime/shim/spares.hpp).
  friend bool operator==(const hello&, const hello&) = default;
};

/// A launcher's report (runtime/launch/report.hpp) as it travels: the plan's
/// owner turns it into words.
struct step_report {
  std::uint8_t phase = 0; ///< plan::phase
  std::uint32_t index = 0;
  std::int32_t os_errno = 0;
  std::string subject;
  friend bool operator==(const step_report&, const step_report&) = default;
};

enum class process_state : std::uint8_t {
  launching, ///< The launcher is at work.
  created,   ///< Init waits for `start`.
  running,
  exited, ///< Reaped; all output is in the log.
  failed, ///< The launch failed; nothing is left but this record.
};

/// Bytes that a log has dropped for one reason: ENOSPC, EAGAIN (a journal that
/// does not keep up), EFBIG (a full capture)...
struct log_drop {
  std::int32_t os_errno = 0;
  std::int64_t bytes = 0;
  friend bool operator==(const log_drop&, const log_drop&) = default;
};

/// Bytes in = logged + dropped + what is kept for the next write.
struct log_counters {
  std::int64_t bytes_in = 0;
  std::int64_t bytes_logged = 0;
  std::int64_t bytes_dropped = 0;
  std::int32_t last_errno = 0;   ///< Why it cannot write, or could not.
  std::vector<log_drop> drops{}; ///< They add up to bytes_dropped.
  friend bool operator==(const log_counters&, const log_counters&) = default;
};

struct attach_counters {
  std::uint32_t clients = 0;      ///< Attached now.
  std::int64_t bytes_dropped = 0; ///< By the policy of a client, so far.
  friend bool operator==(const attach_counters&, const attach_counters&)
    = default;
};

struct record {
  process_key key;
  bool is_exec = false;
  process_state state = process_state::launching;
  std::int32_t pid = 0;
  time_ns created = 0;
  time_ns started = 0;
  time_ns finished = 0;
  /// Valid in `exited`; the shell's: the code, or 128 + signal.
  std::int32_t exit_code = 0;
  std::int32_t exit_signal = 0;
  step_report failure; ///< Valid in `failed`, and in `exited` if exec failed.
  bool start_failed = false; ///< exited because its start failed.
  log_counters log;
  attach_counters attached;
  time_ns timeout = 0; ///< launch::timeout
  friend bool operator==(const record&, const record&) = default;
};

/// All records have been sent.
struct synced {
  friend bool operator==(const synced&, const synced&) = default;
};

struct reply {
  std::uint64_t seq = 0;
  std::uint8_t fault = 0; ///< troupe::fault; 0: success.
  std::int32_t os_errno = 0;
  std::string what;
  bool has_step = false; ///< `step` says where a launch, start or hook failed.
  step_report step;
  friend bool operator==(const reply&, const reply&) = default;
};

/// A hook whose failure is only logged, or another thing worth a log line.
struct warning {
  process_key key;
  std::string what;
  bool has_step = false;
  step_report step;
  friend bool operator==(const warning&, const warning&) = default;
};

using notice = std::variant<hello, record, synced, reply, warning>;

// -- codec --------------------------------------------------------------------

/// Packets are at most this long; a longer one cannot be built from valid ids.
inline constexpr std::size_t max_packet = 64U << 10U;

[[nodiscard]] std::vector<std::uint8_t> encode(const request& x);
[[nodiscard]] std::vector<std::uint8_t> encode(const notice& x);
[[nodiscard]] result<request>
decode_request(std::span<const std::uint8_t> cbor);
[[nodiscard]] result<notice> decode_notice(std::span<const std::uint8_t> cbor);

/// Of a shim of whatever version.
struct greeting {
  std::uint32_t protocol = 0;
  std::string version;
};
/// Nothing if the packet is no hello.
[[nodiscard]] std::optional<greeting>
decode_greeting(std::span<const std::uint8_t> cbor);

/// `launch`, `forget`…
[[nodiscard]] std::string_view name_of(const request& x) noexcept;
[[nodiscard]] std::string_view to_string(process_state x) noexcept;
[[nodiscard]] std::uint64_t seq_of(const request& x);
[[nodiscard]] const process_key* key_of(const request& x);

} // namespace troupe::shim
