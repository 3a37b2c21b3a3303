#include "actors/cluster/cluster.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/gateway/remote.hpp"
#include "actors/host.hpp"
#include "actors/logging.hpp"
#include "actors/watchdog.hpp"
#include "programs/service_manager.hpp"
#include "runtime/linux/daemon.hpp"
#include "runtime/linux/file.hpp"

#include <CLI/CLI.hpp>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <poll.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace troupe {

namespace {

using namespace std::chrono_literals;

constexpr auto exit_failure = 1;
constexpr auto exit_usage = 2;
/// Not an exit code: main executes this program again.
constexpr auto start_again = -1;
/// A shim that dies sooner than this in such a second life would again.
constexpr auto least_life = 10s;
constexpr auto second_life = "TROUPED_STARTED_AGAIN";

/// Requests under way may end, and then the actors. What is not done by then is
/// taken up again at the next start, as after a kill.
constexpr auto gateway_grace = 2000ms;
constexpr auto supervisor_grace = 3000ms;
constexpr auto exit_deadline = 7000ms;

/// Children of a dead shim's have a new parent at once; some inits look after
/// theirs each second only.
constexpr auto reaping_patience = 2000ms;

constexpr auto description
  = "The troupe supervisor: starts, watches and controls this host's "
    "containers.";

constexpr auto footer
  = "Signals: TERM and INT end it; containers run on and are taken up again at "
    "the next start.\nHUP reads the settings again: log_level, log_driver, "
    "log_max_size, log_max_files,\nreplay_size and the timeouts change for "
    "what begins from then on; if another has\nchanged, or one is wrong, all "
    "stay as they were.\nUnder systemd: Type=notify, WatchdogSec=, and a "
    "socket "
    "unit (config/systemd).\n\nExit codes: 0 ended as asked, 1 failure, 2 "
    "wrong "
    "usage.\n\n"
    "Files below ROOT: trouped.sock (the HTTP API), trouped.lock (its pid), "
    "shim.sock,\ncontainers/. Below STATE: events.db.\n\n"
    "  trouped\n"
    "  trouped --root /tmp/t/run --state /tmp/t/state --cgroup-parent /mine";

// -- settings -----------------------------------------------------------------

struct command_line {
  std::string config;
  std::vector<std::pair<std::string cluster_settings::*, std::string>> cluster;
  std::vector<std::string> join;
  std::vector<std::string> labels;
  std::vector<std::pair<std::string settings::*, std::string>> given;
  bool systemd_cgroup = false;
};

/// An option whose value is the text of a member of `Owner`.
template <class Owner>
struct text_option {
  const char* name;
  std::string Owner::*member;
  const char* value;
  const char* help;
};

template <class Owner, std::size_t N>
void add_texts(CLI::App& app, const std::array<text_option<Owner>, N>& options,
               std::vector<std::pair<std::string Owner::*, std::string>>& given,
               const std::string& group = "Options") {
  for (const auto& x : options)
    app
      .add_option_function<std::string>(
        x.name,
        [&given, member = x.member](const std::string& value) {
          given.emplace_back(member, value);
        },
        x.help)
      ->type_name(x.value)
      ->group(group);
}

void add_cluster_options(CLI::App& app, command_line& out) {
  using option = text_option<cluster_settings>;
  constexpr auto group = "Cluster (troupe cluster --help makes certificates)";
  constexpr std::array options{
    option{"--cluster-listen", &cluster_settings::listen, "HOST:PORT",
           "Where other nodes reach this one; without it there is no cluster"},
    option{"--cluster-address", &cluster_settings::address, "HOST:PORT",
           "The same as others see it [that of --cluster-listen]"},
    option{"--cluster-ca", &cluster_settings::ca, "FILE",
           "Certificate of the cluster's authority, PEM"},
    option{"--cluster-cert", &cluster_settings::certificate, "FILE",
           "Certificate of this node, PEM; the node has its name"},
    option{"--cluster-key", &cluster_settings::key, "FILE", "Its key, PEM"},
  };
  add_texts(app, options, out.cluster, group);
  app
    .add_option("--join", out.join,
                "A node to begin with; it tells of the others. May be repeated")
    ->type_name("HOST:PORT")
    ->group(group);
  app
    .add_option("--label", out.labels,
                "What --constraint of troupe run sees. May be repeated")
    ->type_name("NAME=VALUE")
    ->group(group);
}

void add_options(CLI::App& app, command_line& out) {
  using option = text_option<settings>;
  constexpr std::array options{
    option{"--root", &settings::root, "DIR",
           "Runtime files, lost at reboot [/run/troupe]"},
    option{"--state", &settings::state, "DIR",
           "Durable files [/var/lib/troupe]"},
    option{"--socket", &settings::socket, "PATH",
           "Where the HTTP API listens [ROOT/trouped.sock]"},
    option{"--log-level", &settings::log_level, "LEVEL",
           "trace, debug, info, warn, error or off [info]"},
    option{"--log-format", &settings::log_format, "FORMAT",
           "text or json, on stderr [text]"},
    option{"--cgroup-parent", &settings::cgroup_parent, "PATH",
           "Cgroup of containers that name none [/troupe]"},
    option{"--shim", &settings::shim, "PATH",
           "The troupe-shim program [beside this one]"},
  };
  app
    .add_option("--config", out.config,
                "Settings in JSON; the options here win over it")
    ->type_name("FILE");
  add_texts(app, options, out.given);
  add_cluster_options(app, out);
  app.add_flag("--systemd-cgroup", out.systemd_cgroup,
               "systemd makes the containers' cgroups, as scopes");
}

outcome apply_cluster(cluster_settings& out, const command_line& from) {
  for (const auto& [member, value] : from.cluster)
    out.*member = value;
  if (!from.join.empty())
    out.join = from.join;
  for (const auto& each : from.labels) {
    const auto equals = each.find('=');
    if (equals == each.npos)
      return fail(fault::invalid_config,
                  "--label " + each + ": expected NAME=VALUE");
    out.labels[each.substr(0, equals)] = each.substr(equals + 1);
  }
  for (auto* path : {&out.ca, &out.certificate, &out.key})
    if (!path->empty())
      *path = std::filesystem::absolute(*path).lexically_normal().string();
  return {};
}

result<settings> settings_of(const command_line& from) {
  settings out;
  if (!from.config.empty()) {
    TROUPE_TRY(const auto text, sys::read_file(AT_FDCWD, from.config));
    auto parsed = parse_settings(text, std::move(out));
    if (!parsed)
      return fail(std::move(parsed).error().during(from.config));
    out = *std::move(parsed);
  }
  for (const auto& [member, value] : from.given)
    out.*member = value;
  out.systemd_cgroup |= from.systemd_cgroup;
  TROUPE_CHECK(apply_cluster(out.cluster, from));
  TROUPE_CHECK(validate(out));
  for (auto* path : {&out.root, &out.state, &out.socket, &out.shim})
    if (!path->empty())
      *path = std::filesystem::absolute(*path).lexically_normal().string();
  if (out.socket.empty())
    out.socket = out.root + "/trouped.sock";
  return out;
}

// -- the end ------------------------------------------------------------------

/// Ends the process if its orderly end takes too long: an actor that does not
/// let go must not keep a restart waiting.
class last_resort {
public:
  last_resort(int code, std::chrono::milliseconds patience)
    : thread_([this, code, patience] {
        std::unique_lock lock{guard_};
        if (done_.wait_for(lock, patience, [this] { return is_done_; }))
          return;
        spdlog::warn("the end takes too long: leaving as after a kill");
        ::_exit(code);
      }) {
  }

  last_resort(const last_resort&) = delete;
  last_resort& operator=(const last_resort&) = delete;

  ~last_resort() {
    {
      const std::lock_guard lock{guard_};
      is_done_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

private:
  std::mutex guard_;
  std::condition_variable done_;
  bool is_done_ = false;
  std::thread thread_;
};

// -- the daemon ---------------------------------------------------------------

/// Everything that runs. Members are destroyed in the reverse order: first who
/// uses, then what is used.
class daemon {
public:
  /// What the files and the command line say now.
  using settings_reader = std::function<result<settings>()>;

  daemon(const settings& from, settings_reader read_again,
         sys::unique_fd signals)
    : settings_(from),
      read_again_(std::move(read_again)),
      signals_(std::move(signals)) {
  }

  /// Starts all actors and the gateway. `passed`: where that is to listen, or
  /// invalid.
  outcome start(host::base on, sys::unique_fd passed);

  /// Ends the process at once: half of the actors are there, and nobody has
  /// asked for anything yet.
  [[noreturn]] void give_up(const failure& why) {
    spdlog::critical("{}", why.what);
    log_thread_.reset();
    ::_exit(exit_failure);
  }

  /// Serves until it is told to end; the exit code.
  int run();

private:
  outcome join_cluster();
  [[nodiscard]] std::string draining_file() const {
    return settings_.state + "/draining";
  }
  void remember_draining(bool begins) const;
  int end_after(const std::optional<watchdog::death>& dead);
  bool wait_for_end();
  bool actors_end_within(std::chrono::milliseconds patience);
  void show_life();
  void reload();
  outcome read_settings_again();
  int end(int code);

  const settings settings_; ///< Of the start.
  settings_reader read_again_;
  sys::unique_fd signals_;
  const std::chrono::steady_clock::time_point born_
    = std::chrono::steady_clock::now();
  bool may_start_again_ = true;
  std::optional<last_resort> last_resort_;
  std::optional<log_thread> log_thread_;
  std::unique_ptr<host> host_;
  std::unique_ptr<cluster::service> cluster_; ///< Null: there is none.
  std::unique_ptr<watchdog> watchdog_;
  std::uint64_t beats_seen_ = 0;
  std::unique_ptr<gateway::server> gateway_;
};

/// A member's certificate opens every door; an observer's shows the rooms.
gateway::visitor visitor_of(const tls::identity& who) {
  return {std::string{tls::to_string(who.as)} + ' ' + who.name, 0,
          who.as == tls::role::observer};
}

outcome daemon::start(host::base on, sys::unique_fd passed) {
  may_start_again_ = !passed; // whoever has passed it does it again
  log_thread_.emplace();      // Before anybody else logs: spdlog wants it so.
  TROUPE_TRY(host_, host::start(settings_, std::move(on), [this](auto& config) {
               cluster::configure(config, settings_.cluster);
             }));
  const auto& parts = host_->parts();
  const auto handle = [](const auto& x) {
    return caf::actor_cast<caf::strong_actor_ptr>(x);
  };
  TROUPE_TRY(watchdog_,
             watchdog::start(host_->system(),
                             {{"supervisor", handle(host_->supervisor())},
                              {"event log", handle(parts->events)},
                              {"planner", handle(parts->planner)},
                              {"sampler", handle(parts->sampler)}}));
  TROUPE_CHECK(join_cluster());
  TROUPE_TRY(gateway_, gateway::server::start(
                         host_->system(), settings_.socket, host_->supervisor(),
                         parts, std::move(passed),
                         cluster_ ? cluster_->node() : cluster_actor{}));
  if (cluster_)
    cluster_->begin();
  return {};
}

/// A node that is being drained is so after a restart, too.
void daemon::remember_draining(bool begins) const {
  if (!begins) {
    ::unlink(draining_file().c_str());
    return;
  }
  if (auto kept = sys::replace_file(AT_FDCWD, draining_file(), ""); !kept)
    spdlog::error("after a restart it takes new containers: {}",
                  kept.error().what);
}

outcome daemon::join_cluster() {
  if (!settings_.cluster.is_on())
    return {};
  cluster::node_origin origin;
  const auto& parts = host_->parts();
  origin.serve = gateway::serve_nodes(host_->system(), host_->supervisor(),
                                      parts);
  origin.supervisor = host_->supervisor();
  origin.draining = std::filesystem::exists(draining_file());
  *parts->draining = origin.draining;
  origin.drains = [this, flag = parts->draining](bool begins) {
    *flag = begins;
    remember_draining(begins);
  };
  TROUPE_TRY(cluster_,
             cluster::service::start(
               host_->system(), settings_.cluster, std::move(origin),
               [this](const tls::identity& who, sys::unique_fd stream) {
                 gateway_->adopt(std::move(stream), visitor_of(who));
               }));
  spdlog::info("node {} listens at {}", cluster_->name(),
               settings_.cluster.listen);
  return {};
}

int daemon::run() {
  spdlog::info("trouped " TROUPE_VERSION " (pid {}) ready at {}", ::getpid(),
               settings_.socket);
  service_manager::tell_ready("serving at " + settings_.socket);
  const auto has_ended = wait_for_end();
  service_manager::tell_stopping();
  if (has_ended)
    return end_after(watchdog_->first_death());
  spdlog::info("ending; containers run on");
  gateway_->stop(gateway_grace);
  caf::anon_send(host_->supervisor(), msg::shut_down{false, caf::timespan{0}});
  actors_end_within(supervisor_grace);
  return end(0);
}

int daemon::end_after(const std::optional<watchdog::death>& dead) {
  if (dead && dead->name == "supervisor" && dead->why.code == fault::none)
    return end(0);
  spdlog::critical("the {} is gone: {}", dead ? dead->name : "?",
                   dead ? dead->why.what : "?");
  const auto without_shim = dead && dead->name == "supervisor"
                            && dead->why.code == fault::unavailable;
  const auto in_vain = std::getenv(second_life) != nullptr
                       && std::chrono::steady_clock::now() - born_ < least_life;
  if (!without_shim || !may_start_again_ || in_vain)
    return end(exit_failure);
  spdlog::critical("starting again, with a new shim; what the old one held is "
                   "ended, and marked as lost");
  return end(start_again);
}

/// True when an actor has ended; false at a signal that ends us.
bool daemon::wait_for_end() {
  const auto pulse = service_manager::pulse_ms();
  std::array<pollfd, 2> fds{pollfd{watchdog_->descriptor(), POLLIN, 0},
                            pollfd{signals_.get(), POLLIN, 0}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), pulse) == 0)
      show_life();
    if ((fds[0].revents & POLLIN) != 0)
      return true;
    switch (sys::next_signal(signals_.get()).value_or(0)) {
    case SIGTERM:
    case SIGINT:
      return false;
    case SIGHUP:
      reload();
      break;
    // Blocking every signal has caught these, too; to pass them over would be
    // to run on with a broken program.
    case SIGABRT:
    case SIGQUIT:
      std::abort();
    default:
      break;
    }
  }
}

bool daemon::actors_end_within(std::chrono::milliseconds patience) {
  pollfd end{watchdog_->descriptor(), POLLIN, 0};
  return ::poll(&end, 1, static_cast<int>(patience.count())) == 1;
}

/// The service manager hears of us as long as the actors' heart beats; what
/// this thread does says nothing of them.
void daemon::show_life() {
  if (const auto beats = watchdog_->beats(); beats != beats_seen_) {
    beats_seen_ = beats;
    service_manager::tell_alive();
  }
}

void daemon::reload() {
  service_manager::tell_reloading();
  const auto done = read_settings_again();
  if (done)
    spdlog::info("settings read again");
  else
    spdlog::error("settings stay as they were: {}", done.error().what);
  service_manager::tell_ready(done ? "serving at " + settings_.socket
                                   : "settings stay as they were: "
                                       + done.error().what);
}

outcome daemon::read_settings_again() {
  TROUPE_TRY(auto next, read_again_());
  // What was passed to us stays where it is.
  next.socket = settings_.socket;
  TROUPE_CHECK(check_reload(settings_, next));
  if (cluster_)
    TROUPE_CHECK(cluster_->reload());
  spdlog::set_level(spdlog::level::from_str(next.log_level));
  host_->parts()->settings.replace(std::move(next));
  return {};
}

int daemon::end(int code) {
  last_resort_.emplace(code == start_again ? exit_failure : code,
                       exit_deadline);
  gateway_->stop(gateway_grace);
  if (cluster_) // It hands clients to the gateway.
    cluster_->stop();
  cluster_.reset();
  gateway_.reset();
  watchdog_.reset();
  const auto untold = host_->parts()->untold;
  host_.reset();
  if (code != 0) // With a shim that is alive it writes down the same.
    untold->write_down(store::directory{settings_.root}, reaping_patience);
  spdlog::info("ended");
  return code;
}

result<int> serve(settings from, const daemon::settings_reader& read_again) {
  TROUPE_TRY(auto passed, service_manager::passed_socket());
  if (passed) {
    TROUPE_TRY(from.socket, service_manager::path_of(passed));
  }
  TROUPE_TRY(auto signals, sys::divert_signals());
  TROUPE_TRY(auto base, host::prepare(from));
  const sys::unique_fd lock = std::move(base.lock); // to the very end
  // Only now: the shim's containers inherit what it has.
  sys::raise_descriptor_limit();
  ::umask(0077); // the event log is nobody else's to read
  daemon here{from, read_again, std::move(signals)};
  if (auto started = here.start(std::move(base), std::move(passed)); !started)
    here.give_up(started.error());
  return here.run();
}

int run(int argc, char** argv) {
  CLI::App app{description, "trouped"};
  command_line given;
  app.set_version_flag("--version", "trouped " TROUPE_VERSION);
  app.footer(footer);
  add_options(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return app.exit(why) == 0 ? 0 : exit_usage;
  }
  const auto read_settings = [&given] { return settings_of(given); };
  const auto from = read_settings();
  if (!from) {
    std::fprintf(stderr, "trouped: %s\n", from.error().what.c_str());
    return exit_usage;
  }
  start_logging(*from);
  const auto code = serve(*from, read_settings);
  if (code && *code == start_again) {
    ::setenv(second_life, "1", 1);
    ::execv("/proc/self/exe", argv);
    spdlog::critical("{}", os_failure(errno, "execv", "trouped").what);
    return exit_failure;
  }
  if (code)
    return *code;
  spdlog::critical("{}", code.error().what);
  return exit_failure;
}

} // namespace

} // namespace troupe

int main(int argc, char** argv) {
  try {
    return troupe::run(argc, argv);
  } catch (const std::exception& why) {
    std::fprintf(stderr, "trouped: %s\n", why.what());
    return troupe::exit_failure;
  }
}
