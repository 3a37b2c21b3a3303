#pragma once

#include "actors/deadlines.hpp"
#include "actors/event_outbox.hpp"
#include "actors/exec_session.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What an exec session's own deadlines are about.
enum class exec_due : std::uint8_t {
  launch_turn,   ///< It has come: see launch_gate.
  launch_late,   ///< It should have come.
  launch_over,   ///< A killed launch is given up.
  start_settle,  ///< A failed start's exit should have come.
  kill_over,     ///< SIGKILL should have worked.
  grace_over,    ///< A stop turns into a kill.
  time_over,     ///< It has run as long as it may.
  start_overdue, ///< Whoever wanted its output has not come back.
  cgroup_again,  ///< Another try to remove its cgroup.
  memory_over,   ///< An ended session has been remembered long enough.
  events_again,  ///< The event log gets another chance.
  count,
};

/// What can be asked of a session.
enum class exec_operation : std::uint8_t {
  start,
  kill,
  stop,
  attach,
  resize,
  remove,
};

/// An EXEC SESSION: creating -> created -> running -> stopped.
struct exec_state {
  using pointer = exec_session_actor::stateful_pointer<exec_state>;
  using answer = caf::typed_response_promise<msg::exec_snapshot>;
  using then = std::function<void(outcome)>;

  static constexpr const char* name = "exec_session";

  explicit exec_state(pointer me);

  void begin(shared_services services, const exec_origin& origin);

  // -- requests ---------------------------------------------------------------

  caf::result<msg::exec_snapshot> create(const msg::create_exec& x);
  caf::result<msg::exec_snapshot> start();
  caf::result<msg::exec_snapshot> kill(int signo);
  caf::result<msg::exec_snapshot> stop(const msg::stop& x);
  caf::result<msg::captured> take_output();
  caf::result<msg::done> attach(const msg::attach& x);
  caf::result<msg::done> resize_terminal(const msg::resize_terminal& x);
  caf::result<msg::exec_snapshot> remove(bool force);

  // -- facts ------------------------------------------------------------------

  void await_end(const msg::await_exec& x);
  void process_changed(const shim::record& x);
  void process_warned(const shim::warning& x);
  void fell_due(const msg::deadline& x);
  void peer_down(const caf::down_msg& x);

  // -- steps ------------------------------------------------------------------

  void line_up();
  void launch();
  void leave_line(failure why);
  result<std::vector<msg::shared_fd>> open_files();
  shim::launch launch_request() const;
  void launch_answered(const outcome& answered);
  void created(const shim::record& x);
  void abandon();
  void running(const shim::record& x);
  void start_answered(const outcome& answered, bool at_a_step);
  void answer_start();
  void exited(const shim::record& x);
  void committed();
  void not_committed(const failure& why);
  void answer_end();
  void send_signal(int signo, then sent);
  void kill_everything(then sent);
  void watch_time();
  void leave_cgroup();
  void abandon_unclaimed();
  [[nodiscard]] caf::timespan patience() const;
  void answer_stop(const outcome& how);
  void fail_removal(const failure& why);
  void forget(std::function<void()> done);
  void vanish();

  // -- shared -----------------------------------------------------------------

  outcome allowed(exec_operation on) const;
  void tell_started();
  msg::event event(std::string_view type, time_ns at) const;
  std::string about(std::string_view attempt) const;
  [[nodiscard]] bool is(msg::exec_status x) const noexcept;
  void call(shim::request request, std::vector<msg::shared_fd> fds,
            caf::timespan patience, then done);

  pointer self;
  shared_services with;
  process_owner_actor owner;
  shim::process_key key;
  msg::exec_snapshot now;
  msg::shared_exec_plan plan; ///< Null when adopted.
  msg::create_exec request;   ///< Empty when adopted.
  /// Its own; nothing: it has none, or none any more.
  std::optional<plan::cgroup_dir> cgroup;
  msg::captured captured;
  deadlines<pointer, exec_due> due;
  event_outbox<pointer> outbox;

  bool adopted = false;
  launch_gate::turn turn; ///< To launch.
  bool launch_sent = false;
  std::optional<failure> launch_ended; ///< Why it must not succeed any more.
  std::optional<answer> creator;
  std::optional<answer> starter;
  std::optional<failure> start_error;
  bool told_started = false;
  bool end_committed = false;
  bool end_answered = false;
  bool removing = false;
  bool time_is_over = false;
  bool killing = false; ///< Nothing of it shall go on, whoever started it.
  int cgroup_tries = 0;
  bool vanishing = false; ///< It ends as soon as its cgroup is gone.
  std::vector<answer> stoppers;
  shim::record last;
  std::vector<answer> removers;
  std::vector<exec_listener_actor> listeners;
};

} // namespace troupe
