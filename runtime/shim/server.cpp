#include "runtime/shim/server.hpp"

#include "config/base/fault_point.hpp"
#include "runtime/shim/child_work.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <iterator>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace troupe::shim {

namespace {

/// When to look for the dead of whom no signal told. A killed launcher's init,
/// of which we know nothing, ends when it finds its launcher gone; that takes
/// it a moment.
constexpr std::chrono::milliseconds sweep_delay{500};

/// A process that writes all the time is not told about all the time.
constexpr std::chrono::milliseconds counting_delay{1000};

failure refusal(const process_key& key, std::string_view doing,
                std::string_view why) {
  return {fault::wrong_state, 0,
          std::string{doing} + " " + key + ": " + std::string{why}};
}

// What came with a launch, by its own account.
result<process::luggage> luggage_of(const launch& x, sys::packet& with) {
  const auto stdio = x.log.driver == log_driver::passthrough ? 3U
                     : x.log.driver == log_driver::capture   ? 2U
                                                             : 0U;
  const auto wanted = 1 + stdio + x.preserve_fds;
  if (with.fds_lost)
    return fail_os(EMFILE, "launch " + x.key, "its descriptors");
  if (with.fds.size() != wanted)
    return fail(fault::invalid_config, "launch " + x.key + ": came with "
                                         + std::to_string(with.fds.size())
                                         + " descriptors, "
                                         + std::to_string(wanted) + " wanted");
  process::luggage out;
  out.plan = with.fds.front().get();
  const auto first = with.fds.begin() + 1;
  std::move(first, first + stdio, std::back_inserter(out.stdio));
  std::move(first + stdio, with.fds.end(), std::back_inserter(out.preserved));
  return out;
}

// The one descriptor that a request must come with.
result<sys::unique_fd> only_fd(sys::packet& of, std::string_view request) {
  if (of.fds.size() == 1)
    return std::move(of.fds.front());
  if (of.fds_lost)
    return fail_os(EMFILE, request, "its descriptor");
  return fail(fault::invalid_config, std::string{request} + ": came with "
                                       + std::to_string(of.fds.size())
                                       + " descriptors, 1 wanted");
}

} // namespace

server::server(shim::loop& in, own_process& self, std::string path,
               std::size_t spare_launchers)
  : loop_(in),
    path_(std::move(path)),
    spares_(in, self, spare_launchers),
    surroundings_{in, self, children_, spares_} {
}

outcome server::open() {
  TROUPE_TRY(listener_, sys::seqpacket_listen(path_));
  TROUPE_CHECK(watch_listener());
  return watch_children();
}

outcome server::watch_listener() {
  reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  TROUPE_TRY(accepting_, loop_.add(listener_.get(), EPOLLIN,
                                   [this](std::uint32_t) { accept(); }));
  return {};
}

outcome server::watch_children() {
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &children, nullptr) != 0)
    return fail_os(errno, "sigprocmask", "SIGCHLD");
  child_signals_.reset(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!child_signals_)
    return fail_os(errno, "signalfd", "SIGCHLD");
  TROUPE_TRY(child_died_,
             loop_.add(child_signals_.get(), EPOLLIN,
                       [this](std::uint32_t) { bury_children(); }));
  return {};
}

outcome server::run() {
  loop_.after(first_connection, [this] {
    patient_ = false;
    tidy_later();
  });
  for (;;) {
    TROUPE_CHECK(loop_.run());
    // Whoever has connected since we found that nobody needs us is not let
    // down.
    const auto before = last_connection_;
    accept();
    if (last_connection_ == before)
      break;
  }
  if (::unlink(path_.c_str()) != 0)
    return fail_os(errno, "unlink", path_);
  return {};
}

// -- connections --------------------------------------------------------------

void server::accept() {
  auto socket = next_connection();
  if (!socket)
    return;
  const auto peer = sys::credentials_of(socket.get());
  if (peer && (peer->uid == 0 || peer->uid == ::geteuid()))
    connect(std::move(socket));
}

// With no descriptor left the connection would wait, and epoll report it, for
// ever; the supervisor is who can end containers, so it gets the one in
// reserve.
sys::unique_fd server::next_connection() {
  const auto next = [this] {
    return sys::unique_fd{::accept4(listener_.get(), nullptr, nullptr,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK)};
  };
  auto socket = next();
  if (!socket && (errno == EMFILE || errno == ENFILE)) {
    supervisor_.reset();
    reserve_.reset();
    socket = next();
  }
  if (!reserve_)
    reserve_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return socket;
}

// The newest supervisor is the right one: the old one is dead, or about to be.
void server::connect(sys::unique_fd socket) {
  std::vector<process_key> keys;
  keys.reserve(processes_.size());
  for (const auto& each : processes_)
    keys.push_back(each.first);
  const auto id = ++last_connection_;
  auto opened = supervisor::open(loop_, id, std::move(socket), keys,
                                 listener_for_supervisor());
  if (!opened)
    return;
  supervisor_ = *std::move(opened);
  patient_ = false;
  spares_.refill_later();
}

supervisor::listener server::listener_for_supervisor() {
  supervisor::listener out;
  out.greeting = {protocol_version, TROUPE_VERSION, ::getpid(),
                  static_cast<std::uint32_t>(spares_.wanted())};
  out.record_of = [this](const process_key& key) -> const record* {
    const auto found = processes_.find(key);
    return found == processes_.end() ? nullptr : &found->second->state();
  };
  out.requested = [this](const request& what, sys::packet with) {
    handle(what, std::move(with));
  };
  out.flushed = [this] {
    if (quitting_)
      tidy_later();
  };
  out.lost = [this] { tidy_later(); };
  return out;
}

// -- requests -----------------------------------------------------------------

// Requests that are answered later, by a report or an end, say so by keeping
// the asker; the others are answered here.
void server::handle(const request& what, sys::packet came_in) {
  const asker who{supervisor_->id(), seq_of(what)};
  const fault_scope step{"shim", name_of(what)};
  const auto later = std::holds_alternative<upgrade>(what)
                     || std::holds_alternative<launch>(what)
                     || std::holds_alternative<start>(what)
                     || std::holds_alternative<teardown>(what)
                     || std::holds_alternative<poststart>(what);
  auto how = std::visit([&](const auto& x) { return obey(x, who, came_in); },
                        what);
  if (!how || !later)
    reply(who, {std::move(how), {}});
}

outcome server::obey(const launch& x, const asker& who, sys::packet& with) {
  TROUPE_TRY(auto luggage, luggage_of(x, with));
  if (x.key.empty())
    return fail(fault::invalid_config, "launch: empty key");
  if (processes_.contains(x.key))
    return fail(fault::already_exists, "launch " + x.key + ": key is taken");
  if (quitting_)
    return fail(refusal(x.key, "launch", "the shim is about to quit"));
  if (job_of(job::kind::teardown, x.key))
    return fail(refusal(x.key, "launch", "its teardown is under way"));
  if (!x.target.empty()) {
    TROUPE_TRY(const auto* container, find(x.target));
    luggage.target = container->pidfd();
    if (luggage.target < 0)
      return fail(refusal(x.target, "exec in", "has no running process"));
  }
  auto made = std::make_unique<process>(surroundings_, *this, x.key,
                                        luggage.target >= 0);
  TROUPE_CHECK(made->launch(x, std::move(luggage), who));
  processes_.emplace(x.key, std::move(made));
  return {};
}

outcome server::obey(const start& x, const asker& who, sys::packet&) {
  TROUPE_TRY(auto* found, find(x.key));
  return found->start(who);
}

outcome server::obey(const signal& x, const asker&, sys::packet&) {
  TROUPE_TRY(auto* found, find(x.key));
  return found->signal(x.signo);
}

outcome server::obey(const attach& x, const asker&, sys::packet& with) {
  TROUPE_TRY(auto socket, only_fd(with, "attach " + x.key));
  TROUPE_TRY(auto* found, find(x.key));
  return found->attach(std::move(socket),
                       {x.with_stdin, x.with_output, x.framing, x.when_full},
                       x.replay);
}

outcome server::obey(const resize& x, const asker&, sys::packet&) {
  TROUPE_TRY(auto* found, find(x.key));
  return found->resize(x.rows, x.cols);
}

outcome server::obey(const reopen_log& x, const asker&, sys::packet&) {
  TROUPE_TRY(auto* found, find(x.key));
  return found->reopen_log();
}

outcome server::obey(const teardown& x, const asker& who, sys::packet& with) {
  TROUPE_TRY(const auto plan, only_fd(with, "teardown " + x.key));
  if (const auto found = find(x.key); found && !(*found)->over())
    return fail(refusal(x.key, "teardown", "its process still runs"));
  return run_job(job::kind::teardown, x.key, who,
                 [&](int line) { return teardown_work(plan.get(), line); });
}

outcome server::obey(const poststart& x, const asker& who, sys::packet& with) {
  TROUPE_TRY(const auto plan, only_fd(with, "poststart " + x.key));
  TROUPE_TRY(const auto* found, find(x.key));
  if (found->state().state != process_state::running)
    return fail(refusal(x.key, "poststart", "its process does not run"));
  const auto pid = found->state().pid;
  return run_job(job::kind::poststart, x.key, who, [&](int line) {
    return poststart_work(plan.get(), line, pid);
  });
}

outcome server::obey(const forget& x, const asker&, sys::packet&) {
  TROUPE_TRY(const auto* found, find(x.key));
  if (!found->over())
    return fail(refusal(x.key, "forget", "its process has not ended"));
  processes_.erase(x.key);
  tidy_later();
  return {};
}

outcome server::obey(const quit&, const asker&, sys::packet&) {
  const auto alive = std::count_if(
    processes_.begin(), processes_.end(),
    [](const auto& each) { return !each.second->over(); });
  if (alive > 0)
    return fail(fault::wrong_state,
                "quit: " + std::to_string(alive) + " processes are not over");
  quitting_ = true;
  tidy_later();
  return {};
}

result<process*> server::find(const process_key& key) {
  const auto found = processes_.find(key);
  if (found == processes_.end())
    return fail(fault::not_found, "process " + key + ": no such key");
  return found->second.get();
}

job* server::job_of(job::kind what, const process_key& key) {
  const auto found = std::find_if(
    jobs_.begin(), jobs_.end(),
    [&](const auto& each) { return !each->done() && each->is(what, key); });
  return found == jobs_.end() ? nullptr : found->get();
}

// The same job for the same container is not run twice at once: whoever asks
// meanwhile, a new supervisor perhaps, gets the answer of the one under way.
outcome server::run_job(job::kind what, const process_key& key,
                        const asker& who, const std::function<int(int)>& body) {
  if (auto* running = job_of(what, key)) {
    running->join(who);
    return {};
  }
  TROUPE_TRY(auto made, job::run(surroundings_, *this, what, key, body));
  made->join(who);
  jobs_.push_back(std::move(made));
  return {};
}

// -- what processes and jobs tell ---------------------------------------------

void server::changed(const process_key& key) {
  if (supervisor_)
    supervisor_->changed(key);
}

void server::counted(const process_key& key) {
  if (counted_.empty())
    loop_.after(counting_delay, [this] { tell_counted(); });
  counted_.insert(key);
}

void server::tell_counted() {
  for (const auto& key : std::exchange(counted_, {}))
    if (const auto found = processes_.find(key); found != processes_.end())
      found->second->publish();
}

void server::reply(const asker& to, answer what) {
  if (!supervisor_ || supervisor_->id() != to.connection)
    return;
  shim::reply out;
  out.seq = to.seq;
  if (!what.how) {
    out.fault = static_cast<std::uint8_t>(what.how.error().code);
    out.os_errno = what.how.error().os_errno;
    out.what = what.how.error().what;
  }
  out.has_step = what.step.has_value();
  if (what.step)
    out.step = *std::move(what.step);
  supervisor_->say(out);
}

void server::warn(warning what) {
  if (supervisor_)
    supervisor_->say(what);
}

void server::drain(std::unique_ptr<stdio> from) {
  draining_.push_back(std::move(from));
  tidy_later();
}

void server::sweep_soon() {
  if (!std::exchange(sweeping_, true))
    loop_.after(sweep_delay, [this] { sweep(); });
}

// A signal names the first child that died before it was read; of those that
// died meanwhile, and are nobody's, the sweep hears.
void server::bury_children() {
  signalfd_siginfo info;
  while (::read(child_signals_.get(), &info, sizeof info) > 0)
    children_.bury(static_cast<pid_t>(info.ssi_pid),
                   [this] { read_report_lines(); });
  sweep_soon();
}

void server::sweep() {
  sweeping_ = false;
  if (children_.sweep([this] { read_report_lines(); }))
    sweep_soon();
}

void server::read_report_lines() {
  for (const auto& each : processes_)
    each.second->read_report_line();
}

void server::tidy_later() {
  if (!std::exchange(tidying_, true))
    loop_.later([this] { tidy(); });
}

void server::tidy() {
  tidying_ = false;
  if (supervisor_ && supervisor_->lost())
    supervisor_.reset();
  std::erase_if(jobs_, [](const auto& each) { return each->done(); });
  std::erase_if(draining_,
                [](const auto& each) { return !each->has_clients(); });
  if (!needed())
    loop_.stop();
}

bool server::needed() const noexcept {
  const auto holds = !processes_.empty() || !jobs_.empty()
                     || !draining_.empty();
  return holds || patient_ || (supervisor_ && !quitting_)
         || (supervisor_ && !supervisor_->idle());
}

} // namespace troupe::shim
