#include "bench/harness/supervisor.hpp"

#include "bench/harness/clock.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/inotify.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace troupe::bench {

namespace {

constexpr auto start_patience_ms = 60'000;
constexpr auto end_patience_ms = 60'000;

/// Appends what is in the file behind what `to` has, which began at `from`.
void append_rest(std::string& to, int file, std::size_t from) {
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; (n = ::pread(file, chunk.data(), chunk.size(),
                                   static_cast<off_t>(from + to.size())))
                      > 0;)
    to.append(chunk.data(), static_cast<std::size_t>(n));
}

} // namespace

supervisor::supervisor(std::string directory, std::string root,
                       std::string cgroup_parent, std::string program,
                       std::vector<std::string> options)
  : directory_(std::move(directory)),
    root_(std::move(root)),
    cgroup_parent_(std::move(cgroup_parent)),
    program_(std::move(program)),
    options_(std::move(options)) {
  std::error_code ignored;
  std::filesystem::create_directories(directory_ + "/log", ignored);
}

supervisor::~supervisor() {
  (void)finish();
}

result<std::int64_t> supervisor::start() {
  const sys::unique_fd log{::open(
    log_path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  if (!log)
    return fail_os(errno, "open", log_path());
  const auto from = static_cast<std::size_t>(
    ::lseek(log.get(), 0, SEEK_END)); // what the one before it has said
  std::vector<std::string> words{
    program_,          "--root",      root_, "--state", directory_ + "/state",
    "--cgroup-parent", cgroup_parent_};
  words.insert(words.end(), options_.begin(), options_.end());
  const command what{std::move(words), {}, -1, log.get(), log.get()};
  const auto executed = now_ns();
  TROUPE_TRY(trouped_, spawn(what));
  TROUPE_CHECK(wait_until_ready(from));
  return executed;
}

outcome supervisor::wait_until_ready(std::size_t from) {
  TROUPE_TRY(const auto notices, sys::watch_directory(directory_ + "/log"));
  TROUPE_TRY(const auto log, sys::open_file(AT_FDCWD, log_path(), O_RDONLY));
  // What is read is what is new: reading takes time from the start.
  std::string said;
  for (;;) {
    append_rest(said, log.get(), from);
    if (said.find(" ready at ") != std::string::npos)
      break;
    pollfd fds[] = {{notices.get(), POLLIN, 0}, {trouped_.pidfd(), POLLIN, 0}};
    if (::poll(fds, 2, start_patience_ms) == 0 || fds[1].revents != 0)
      return fail(fault::unavailable, "trouped does not start: " + said);
    sys::drain_inotify(notices.get());
  }
  if (shim_pid_ != 0) // It stays the same.
    return {};
  client::api_client api{socket()};
  TROUPE_TRY(const auto info, api.get("/v1/info"));
  shim_pid_ = info.value("shim_pid", 0);
  return {};
}

void supervisor::kill() {
  trouped_.end(SIGKILL, -1);
}

outcome supervisor::finish() {
  if (!trouped_.running())
    return {};
  client::api_client api{socket()};
  const auto asked = api.post("/v1/shutdown?stop_containers=1&timeout=0");
  if (asked) {
    TROUPE_TRY([[maybe_unused]] const auto code, trouped_.wait());
  }
  trouped_.end(SIGTERM, end_patience_ms);
  if (shim_pid_ != 0 && !wait_for_end(shim_pid_, end_patience_ms))
    return fail(fault::timed_out,
                "troupe-shim " + std::to_string(shim_pid_) + " still runs");
  if (!asked)
    return fail(asked.error());
  return {};
}

} // namespace troupe::bench
