#pragma once

#include "actors/container.hpp"
#include "actors/deadlines.hpp"
#include "actors/event_outbox.hpp"
#include "actors/lifecycle.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a container's own deadlines are about.
enum class container_due : std::uint8_t {
  launch_turn,  ///< Its turn to be launched has come.
  launch_look,  ///< Time to tell how many are before it.
  launch_late,  ///< Its turn has not come in time.
  launch_over,  ///< A launch that must end: killed; a killed one: given up.
  start_settle, ///< A failed start's exit should have come.
  freezer_look, ///< Time to look whether everything is frozen.
  freeze_over,  ///< The freezer has had its time.
  grace_over,   ///< A stop turns into a kill.
  kill_over,    ///< SIGKILL should have worked.
  watch_begins, ///< From the supervisor: all that it adopts are back.
  events_again, ///< The event log gets another chance.
  save_again,   ///< So does the disk of ROOT.
  vanish_again, ///< The directory could not be removed.
  count,
};

/// A CONTAINER. Its verbs are grouped by file: container_launch.cpp,
/// container_signal.cpp, container_freeze.cpp, container_update.cpp,
/// container_watch.cpp, container_exit.cpp, container_remove.cpp,
/// container_exec.cpp, container_look.cpp, container_adopt.cpp; what they share
/// is in container.cpp.
struct container_state {
  using pointer = container_actor::stateful_pointer<container_state>;
  using answer = caf::typed_response_promise<msg::snapshot>;
  using exec_answer = caf::typed_response_promise<msg::exec_created>;
  using then = std::function<void(outcome)>;

  static constexpr const char* name = "container";

  explicit container_state(pointer me);

  /// Takes up where `origin` says the container is.
  void begin(shared_services services, const container_origin& origin);

  // -- requests ---------------------------------------------------------------

  caf::result<msg::snapshot> create(const msg::create_container& x);
  caf::result<msg::snapshot> start();
  caf::result<msg::snapshot> kill(const msg::kill& x);
  caf::result<msg::snapshot> stop(const msg::stop& x);
  caf::result<msg::snapshot> pause();
  caf::result<msg::snapshot> resume();
  caf::result<msg::snapshot> update(const msg::update& x);
  caf::result<msg::snapshot> remove(bool force);
  caf::result<msg::process_list> processes();
  caf::result<msg::stats> stats();
  caf::result<msg::done> attach(const msg::attach& x);
  caf::result<msg::done> resize_terminal(const msg::resize_terminal& x);
  caf::result<msg::done> reopen_log();
  caf::result<msg::exec_created> create_exec(const msg::create_exec& x);
  caf::result<msg::exec_created> find_exec(const std::string& session);
  caf::result<msg::done> forget_execs();

  // -- facts ------------------------------------------------------------------

  void await_exit(const msg::await_exit& x);
  void oom_observed(std::int64_t counter);
  void pressure_observed(const msg::pressure_observed& x);
  void process_changed(const shim::record& x);
  void process_warned(const shim::warning& x);
  void fell_due(const msg::deadline& x);
  void peer_down(const caf::down_msg& x);
  /// The supervisor ends, the container does not.
  void leave(const caf::error& why);

  // -- launch -----------------------------------------------------------------

  outcome keep(const msg::compiled_launch& x);
  outcome choose_log(const log_choice& x);
  result<std::vector<msg::shared_fd>>
  launch_fds(const plan::launch_plan& of) const;
  void line_up(const msg::compiled_launch& x);
  void look_at_line();
  void end_line();
  void leave_line(failure why);
  void launch();
  void launch_answered(const outcome& answered);
  void launched(const shim::record& x);
  void answer_create();
  void end_launch(failure why);
  void clean_up_launch();
  void abandon_launch();
  void start_answered(const outcome& answered, bool at_a_step);
  void run_poststart();
  void end_start(failure why);
  void answer_start();
  void running(const shim::record& x);

  // -- watchers ---------------------------------------------------------------

  void watch();
  void watch_oom();
  void end_watchers();

  // -- signals ----------------------------------------------------------------

  void signal(int signo, bool all, then sent);
  void kill_everything();
  void terminate(int signo, const lifecycle::transition& row);
  void end_stop(const failure& why);
  void kill_failed();

  // -- freezer ----------------------------------------------------------------

  void look_at_freezer_soon();
  void look_at_freezer();
  void leave_freezer();
  outcome thaw(const failure& to_pausers);
  void freeze_failed(failure why);

  // -- limits -----------------------------------------------------------------

  void next_update();
  void updated(msg::shared_plan to);
  void end_update(failure why);

  // -- exit -------------------------------------------------------------------

  void exited(const shim::record& x);
  void count_ooms();
  void tell_oom();
  [[nodiscard]] bool died_of_oom() const;
  void settle();
  void committed();
  void acknowledge_exit();
  void not_committed(const failure& why);
  void answer_exit();
  void forget(then done);

  // -- removal ----------------------------------------------------------------

  void go_on_removing();
  void tear_down();
  void torn_down(const outcome& done);
  void destroy();
  void vanish();
  void put_off_end(const failure& why);
  void fail_removal(failure why);

  // -- exec sessions ----------------------------------------------------------

  outcome may_exec(const msg::create_exec& x) const;
  void open_session(const msg::create_exec& x, const std::string& id,
                    msg::shared_exec_plan compiled, exec_answer reply);
  void keep_session(const std::string& id, exec_session_actor session);
  void session_changed(const shim::record& x);
  void remove_sessions(std::function<void()> done);

  // -- adoption ---------------------------------------------------------------

  void adopt(const container_origin& x);
  void adopt_process(const shim::record& x);
  void adopt_running();
  void adopt_without_process();
  void settle_loss();
  void imply_ooms();
  void settle_again();

  // -- shared -----------------------------------------------------------------

  /// The row for `on`, or the refusal.
  result<lifecycle::transition> allowed(lifecycle::operation on) const;
  failure refusal(lifecycle::operation on) const;
  failure wrong_state(std::string_view attempt, std::string_view because) const;
  std::string about(std::string_view attempt) const;
  /// Follows `row`, unless the container has moved on.
  bool follow(const lifecycle::transition& row);
  bool follow(lifecycle::operation on);
  void put(std::string_view type, time_ns at, std::int64_t n = 0);
  void imply_events();
  void wait_for(std::string what);
  /// Ends the wait for `what`, if that is what it waits for.
  void waited(std::string_view what);
  void save();
  void publish() const;
  void changed();
  void call(shim::request request, std::vector<msg::shared_fd> fds,
            caf::timespan patience, then done);

  pointer self;
  shared_services with;
  supervisor_actor supervisor;
  msg::snapshot now;
  msg::shared_plan plan;
  std::unique_ptr<cgroup::control> control; ///< Null without a cgroup.
  deadlines<pointer, container_due> due;
  event_outbox<pointer> outbox;

  shim::log_options log;  ///< For the launch.
  msg::descriptors stdio; ///< The same, of a passthrough.
  bool adopted = false;
  /// While it is being adopted: nobody sees the steps in between, nor does the
  /// disk.
  bool taking_up = false;
  sys::unique_fd life; ///< A pidfd of init, while it is watched.
  store::state saved;  ///< As it is on disk.
  bool is_saved = true;
  bool owns_directory = false;
  /// While it waits for its turn to be launched.
  std::optional<msg::compiled_launch> compiled;
  launch_gate::turn turn;
  /// Why the launch must not succeed any more.
  std::optional<failure> launch_ended;
  bool launch_sent = false;
  bool needs_cleanup = false; ///< The launcher was killed, or never answered.
  bool cleaning_up = false;
  bool stopping = false;
  std::optional<answer> creator;
  std::optional<answer> starter;
  std::optional<failure> start_error;

  std::vector<answer> stoppers;
  std::vector<answer> pausers;
  caf::timespan freezer_delay{0};
  struct waiting_update {
    std::string resources;
    answer reply;
  };
  std::deque<waiting_update> updates; ///< The first is under way.

  std::int64_t oom_baseline = 0;
  /// What is known of its OOM kills.
  struct {
    time_ns last = 0;
    std::int64_t victims_known = 0;
    bool init_was_victim = false;
  } oom;
  oom_watcher_actor oom_watcher;
  pressure_watcher_actor pressure_watcher; ///< Null without triggers.
  bool killed_by_us = false;               ///< SIGKILL was sent to its init.
  bool told_created = false;
  bool told_started = false;
  bool exit_committed = false;  ///< The exit is in the event log.
  bool exit_answered = false;   ///< Whoever waited has been told.
  bool forgotten = false;       ///< The shim holds no record any more.
  std::vector<then> forgetters; ///< They wait for that.
  bool removing = false;
  bool tearing_down = false;
  std::vector<exit_listener_actor> listeners;

  std::vector<answer> removers;

  std::map<std::string, exec_session_actor> sessions;
  std::deque<std::string> ended_sessions; ///< Oldest first.
};

} // namespace troupe
