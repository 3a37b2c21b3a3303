#include "runtime/shim/process.hpp"

#include "config/base/fault_point.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/child_work.hpp"
#include "runtime/shim/endings.hpp"
#include "runtime/shim/spares.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

namespace troupe::shim {

namespace {

failure wrong_state(const process_key& key, std::string_view doing,
                    std::string_view why) {
  return {fault::wrong_state, 0,
          std::string{doing} + " " + key + ": " + std::string{why}};
}

} // namespace

process::process(const surroundings& in, table& tell, process_key key,
                 bool is_exec)
  : in_(in), table_(tell) {
  record_.key = std::move(key);
  record_.is_exec = is_exec;
}

process::~process() {
  if (record_.is_exec) // A container's are its directory's.
    files_.remove_all();
  in_.children.remove(launcher_.pid);
  in_.children.remove(record_.pid);
}

// -- launch -------------------------------------------------------------------

outcome process::launch(const shim::launch& request, luggage with,
                        const asker& who) {
  record_.timeout = request.timeout;
  TROUPE_CHECK(open_stdio(request, std::move(with.stdio)));
  TROUPE_TRY(auto line, sys::seqpacket_pair());
  if (::fcntl(line.first.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return fail_os(errno, "fcntl O_NONBLOCK", "start line");
  TROUPE_TRY(launcher_, fork_launcher(request, with, line.second.get()));
  in_.children.add(launcher_.pid, *this);
  start_line_ = std::move(line.first);
  stdio_->for_child() = {};
  launching_ = who;
  // The launcher is there: from here on a failure is a failed launch.
  if (const auto watched = watch_launcher(); !watched) {
    failed_ = prepare_failure(watched.error());
    (void)sys::send_signal(launcher_.pidfd.get(), SIGKILL);
  }
  publish();
  return {};
}

outcome process::open_stdio(const shim::launch& request,
                            std::vector<sys::unique_fd> fds) {
  TROUPE_TRY(stdio_, stdio::open(in_.loop, request, std::move(fds),
                                 listener_for_stdio()));
  if (request.files.empty())
    return {};
  files_ = process_files{request.files};
  TROUPE_TRY(auto socket, files_.listen());
  return stdio_->accept_at(std::move(socket));
}

stdio::listener process::listener_for_stdio() {
  return {[this] { table_.counted(record_.key); },
          [to = &table_] { to->tidy_later(); }};
}

result<child> process::fork_launcher(const shim::launch& request,
                                     const luggage& with, int start_line) {
  const auto& ends = stdio_->for_child();
  const auto exec = !request.target.empty();
  launcher::lines lines;
  lines.start = start_line;
  lines.stdin_fd = ends.in.get();
  lines.stdout_fd = ends.out.get();
  lines.stderr_fd = ends.err.get();
  lines.console = ends.console.get();
  if (!exec && with.preserved.empty())
    if (auto spare = in_.spares.launch(with.plan, lines))
      return *std::move(spare);
  return fork_child(in_.self, [&](int line) {
    lines.report = line;
    auto plan = with.plan;
    auto target = with.target;
    if (!preserve(with.preserved, plan, target, lines))
      return 1;
    launcher::spare nothing;
    return exec ? exec_work(plan, lines, target, request.ignore_paused)
                : create_work(plan, lines, nothing);
  });
}

outcome process::watch_launcher() {
  // First the launcher's end, which the sweep of children can stand in for.
  TROUPE_TRY(launcher_exited_,
             in_.loop.add(launcher_.pidfd.get(), EPOLLIN,
                          [this](std::uint32_t) { look_at_launcher(); }));
  TROUPE_TRY(report_ready_,
             in_.loop.add(launcher_.line.get(), EPOLLIN,
                          [this](std::uint32_t) { read_report_line(); }));
  return watch_start_line();
}

outcome process::watch_start_line() {
  if (!start_line_)
    return {};
  TROUPE_TRY(start_ready_,
             in_.loop.add(start_line_.get(), EPOLLIN,
                          [this](std::uint32_t) { read_start_line(); }));
  return {};
}

void process::read_report_line() {
  while (launcher_.line) {
    const auto event = next_report(launcher_.line.get());
    if (event.what == line_event::kind::closed)
      return report_ready_.pause();
    if (event.what == line_event::kind::empty)
      return;
    on_report(event);
  }
}

void process::on_report(const line_event& what) {
  switch (what.report.kind) {
  case launcher::report_kind::spawned:
    return on_spawned(what);
  case launcher::report_kind::created:
    return on_created();
  case launcher::report_kind::failed:
    if (!failed_)
      failed_ = what.report;
    return;
  case launcher::report_kind::hook_warning:
    return table_.warn({record_.key,
                        launcher::to_failure(what.report, nullptr).what, true,
                        step_of(what.report)});
  case launcher::report_kind::done:
    return;
  }
}

void process::on_spawned(const line_event& what) {
  if (init_ || !what.fd)
    return;
  fault_point("shim", "init", "spawned");
  record_.pid = what.report.pid;
  if (files_)
    warn_unless(files_.write_pid(record_.pid));
  // The descriptor is the event's; a duplicate outlives it.
  init_.reset(::fcntl(what.fd.get(), F_DUPFD_CLOEXEC, 0));
  in_.children.add(record_.pid, *this);
  watch_init();
  publish();
}

// Without a watch (the kernel's limit of them) init cannot be followed.
void process::watch_init() {
  auto watching = in_.loop.add(init_.get(), EPOLLIN,
                               [this](std::uint32_t) { look_at_init(); });
  if (watching) {
    init_exited_ = *std::move(watching);
    return;
  }
  failed_ = prepare_failure(watching.error());
  kill_init();
}

void process::on_created() {
  if (record_.state != process_state::launching || failed_)
    return;
  fault_point("shim", "init", "created");
  record_.state = process_state::created;
  record_.created = now_ns();
  publish();
  answer(launching_, {});
  if (exit_)
    end_process();
}

void process::look() {
  look_at_launcher();
  look_at_init();
}

void process::look_at_launcher() {
  if (!launcher_.pidfd)
    return;
  read_report_line();
  const auto ended = sys::reap(launcher_.pidfd.get());
  if (ended && !*ended)
    return;
  // What it said between our look at the line and its end.
  read_report_line();
  in_.children.remove(launcher_.pid);
  report_ready_.reset();
  launcher_exited_.reset();
  launcher_ = {};
  if (record_.state != process_state::launching)
    return;
  if (!failed_)
    failed_ = prepare_failure(
      {fault::os, 0,
       "launcher died: " + (ended ? describe(**ended) : ended.error().what)});
  kill_init();
  end_launch();
  // An init that it has not told us of dies without a signal to us.
  table_.sweep_soon();
}

void process::kill_init() {
  if (init_)
    (void)sys::send_signal(init_.get(), SIGKILL);
}

// A launch has failed when launcher and init are both gone.
void process::end_launch() {
  if (launcher_.pidfd || init_ || !failed_)
    return;
  record_.failure = step_of(*failed_);
  record_.finished = now_ns();
  stdio_->drain_all([this] { finish_launch(); });
}

void process::finish_launch() {
  record_.state = process_state::failed;
  finish_stdio();
  answer(launching_, failed_answer(*failed_));
}

// -- start, signal, attach ----------------------------------------------------

outcome process::start(const asker& who) {
  if (record_.state != process_state::created)
    return fail(wrong_state(record_.key, "start", "not in state created"));
  if (!start_line_)
    return fail(wrong_state(record_.key, "start", "its init has ended"));
  if (start_sent_)
    return fail(wrong_state(record_.key, "start", "is being started already"));
  constexpr std::array<std::uint8_t, 1> go{1};
  TROUPE_CHECK(sys::send_packet(start_line_.get(), go));
  start_sent_ = true;
  starting_ = who;
  return {};
}

void process::read_start_line() {
  while (start_line_) {
    const auto event = next_report(start_line_.get());
    if (event.what == line_event::kind::empty)
      return;
    if (event.what == line_event::kind::closed) {
      start_ready_.reset();
      start_line_.reset();
      return on_started();
    }
    if (event.report.kind == launcher::report_kind::failed)
      failed_ = event.report;
  }
}

// The line ends at a successful exec, by close-on-exec, or with init, whose
// pidfd then tells the rest.
void process::on_started() {
  if (!start_sent_ || failed_ || record_.state != process_state::created)
    return;
  fault_point("shim", "init", "running");
  record_.state = process_state::running;
  record_.started = now_ns();
  publish();
  answer(starting_, {});
}

outcome process::signal(int signo) {
  if (record_.state == process_state::launching) {
    if (launcher_.pidfd)
      TROUPE_CHECK(sys::send_signal(launcher_.pidfd.get(), SIGKILL));
    kill_init();
    return {};
  }
  if (!init_)
    return fail(fault::not_found,
                "signal " + record_.key + ": the process has finished");
  return sys::send_signal(init_.get(), signo);
}

outcome process::resize(std::uint16_t rows, std::uint16_t cols) {
  if (over())
    return fail(wrong_state(record_.key, "resize", "it has ended"));
  return stdio_->resize(rows, cols);
}

outcome process::attach(sys::unique_fd socket, const client_options& what,
                        std::size_t replay) {
  if (!over())
    return stdio_->attach(std::move(socket), what, replay);
  // A fresh socket's buffer holds this; a client that filled it has itself to
  // blame.
  constexpr std::size_t most = 64U << 10U;
  const auto codec = client_codec::of(what.framing);
  std::string last;
  const auto add = [&](frame_stream stream, std::string_view body) {
    last += codec->head_of(stream, body.size()).text();
    last += body;
  };
  if (what.with_output)
    recent_.replay(std::min(replay, most), add);
  if (codec->has_marks()) // else the end of the stream says it all
    add(frame_stream::status, status_of(record_));
  last += codec->ending();
  if (::send(socket.get(), last.data(), last.size(),
             MSG_DONTWAIT | MSG_NOSIGNAL)
      < 0)
    return fail_os(errno, "send status", record_.key);
  return {};
}

outcome process::reopen_log() {
  if (over())
    return fail(wrong_state(record_.key, "reopen log", "it has ended"));
  return stdio_->reopen_log();
}

// -- the end ------------------------------------------------------------------

void process::look_at_init() {
  if (!init_)
    return;
  const auto ended = sys::reap(init_.get());
  if (ended && !*ended)
    return;
  // ECHILD: an orphan sweep took it before its launcher told us of it.
  fault_point("shim", "init", "reaped");
  exit_ = ended ? **ended : sys::exit_status{.signal = SIGKILL};
  in_.children.remove(record_.pid);
  init_exited_.reset();
  init_.reset();
  if (record_.state == process_state::launching)
    return end_launch();
  end_process();
}

void process::end_process() {
  read_start_line();
  // A launcher that has not quite ended keeps the line open; a start that had
  // failed would have said so on it.
  on_started();
  start_ready_.reset();
  start_line_.reset();
  record_.finished = now_ns();
  record_.exit_code = exit_->shell_code();
  record_.exit_signal = exit_->signal;
  if (failed_) {
    record_.start_failed = true;
    record_.failure = step_of(*failed_);
    record_.exit_code = exit_code_of(record_.failure);
    record_.exit_signal = 0;
  }
  // All that it wrote is in the pipes by now: when a pid namespace's init is
  // reaped, every process in it is gone, pid_namespaces(7).
  stdio_->drain_all([this] { finish_process(); });
}

void process::finish_process() {
  record_.state = process_state::exited;
  finish_stdio();
  answer(starting_, failed_ ? failed_answer(*failed_) : shim::answer{});
}

void process::finish_stdio() {
  const fault_scope step{"shim", "end"};
  start_ready_.reset();
  start_line_.reset();
  stdio_->finish(status_of(record_));
  files_.remove_socket();
  if (files_ && record_.state == process_state::exited)
    warn_unless(files_.write_exit(record_.exit_code));
  record_.log = stdio_->counters();
  record_.attached = stdio_->attached();
  recent_ = stdio_->take_recent();
  table_.drain(std::move(stdio_));
  publish();
}

void process::answer(std::optional<asker>& who, shim::answer what) {
  if (const auto asked = std::exchange(who, std::nullopt))
    table_.reply(*asked, std::move(what));
}

void process::warn_unless(const outcome& done) {
  if (!done)
    table_.warn({record_.key, done.error().what, false, {}});
}

// -- another program ----------------------------------------------------------

process::process(const surroundings& in, table& tell, loader& from)
  : in_(in), table_(tell) {
  hand_over(from);
}

template <class Way>
void process::hand_over(Way& with) {
  auto has_stdio = stdio_ != nullptr;
  with(record_, files_, recent_, launcher_, init_, start_line_, launching_,
       starting_, start_sent_, failed_, exit_, has_stdio);
  if (!has_stdio)
    return;
  if constexpr (Way::saving)
    stdio_->hand_over(with);
  else
    stdio_ = stdio::taken_over(in_.loop, with, listener_for_stdio());
}

template void process::hand_over(saver& with);

outcome process::resume() {
  if (launcher_.pidfd) {
    in_.children.add(launcher_.pid, *this);
    TROUPE_CHECK(watch_launcher());
  } else {
    TROUPE_CHECK(watch_start_line());
  }
  if (init_) {
    in_.children.add(record_.pid, *this);
    TROUPE_TRY(init_exited_,
               in_.loop.add(init_.get(), EPOLLIN,
                            [this](std::uint32_t) { look_at_init(); }));
  }
  if (!stdio_)
    return {};
  return stdio_->resume([this] {
    record_.state == process_state::launching ? finish_launch()
                                              : finish_process();
  });
}

void process::publish() {
  if (stdio_) {
    record_.log = stdio_->counters();
    record_.attached = stdio_->attached();
  }
  table_.changed(record_.key);
}

} // namespace troupe::shim
