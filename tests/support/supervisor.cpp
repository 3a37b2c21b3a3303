#include "tests/support/supervisor.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/probe/host.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <poll.h>
#include <sstream>
#include <unistd.h>

namespace troupe::test {

namespace fs = std::filesystem;

namespace {

constexpr auto ending_patience_ms = 30'000;

std::string program(const char* name) {
  return std::string{TROUPE_BIN_DIR} + '/' + name;
}

std::string fresh_directory() {
  std::string name = "/tmp/troupe-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    std::abort();
  return name;
}

std::string fresh_cgroup_parent() {
  static std::atomic<int> count{0};
  return "/troupe-test-" + std::to_string(::getpid()) + '-'
         + std::to_string(++count);
}

std::string read_text(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Waits for the end of a process that is not our child.
bool wait_for_end(int pid, int patience_ms) {
  const auto pidfd = sys::open_pidfd(pid);
  if (!pidfd)
    return true;
  pollfd fd{pidfd->get(), POLLIN, 0};
  return ::poll(&fd, 1, patience_ms) == 1;
}

bool is_number(const std::string& name) {
  return !name.empty()
         && name.find_first_not_of("0123456789") == std::string::npos;
}

/// Processes whose command line mentions `directory`.
std::map<int, std::string> processes_of(const std::string& directory) {
  std::map<int, std::string> out;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator{"/proc", ignored})
    if (const auto name = process.path().filename().string(); is_number(name))
      if (auto line = read_text(process.path() / "cmdline");
          line.find(directory) != std::string::npos)
        out.emplace(std::stoi(name), std::move(line));
  return out;
}

} // namespace

std::vector<std::string> leftovers(const std::string& directory,
                                   const std::string& cgroup_parent) {
  std::vector<std::string> out;
  std::istringstream mounts{read_text("/proc/self/mountinfo")};
  for (std::string line; std::getline(mounts, line);)
    if (line.find(directory) != std::string::npos)
      out.push_back("mount: " + line);
  std::error_code ignored;
  for (const auto& hierarchy :
       fs::directory_iterator{"/sys/fs/cgroup", ignored})
    if (const auto path = hierarchy.path().string() + cgroup_parent;
        fs::exists(path, ignored))
      out.push_back("cgroup: " + path);
  if (fs::exists("/sys/fs/cgroup" + cgroup_parent, ignored))
    out.push_back("cgroup: /sys/fs/cgroup" + cgroup_parent);
  for (const auto& [pid, line] : processes_of(directory))
    out.push_back("process " + std::to_string(pid) + ": " + line);
  return out;
}

supervisor::supervisor()
  : directory_(fresh_directory()), cgroup_parent_(fresh_cgroup_parent()) {
}

supervisor::~supervisor() {
  if (trouped_ && !finish().empty())
    end_by_force();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

/// What a trouped leaves that has crashed, say: its shim and its containers.
void supervisor::end_by_force() const {
  for (const auto& [pid, line] : processes_of(directory_))
    ::kill(pid, SIGKILL);
  const auto host = sys::probe_host("/unused");
  const auto all = cgroup::cgroup_at(host, cgroup_parent_);
  static_cast<void>(cgroup::remove(all, patient(std::chrono::seconds{10})));
}

void supervisor::start(const std::vector<std::string>& options,
                       const surroundings& with) {
  if (trouped_)
    old_output_ += trouped_->output();
  std::vector<std::string> argv{
    program("trouped"),    "--root",          directory_ + "/run", "--state",
    directory_ + "/state", "--cgroup-parent", cgroup_parent_};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.begin(), with.through.begin(), with.through.end());
  trouped_ = std::make_unique<background>(argv, with.env);
  const auto ready = trouped_->wait_for_output("ready");
  INFO(trouped_->output());
  REQUIRE(ready);
  shim_pid_ = troupe_json({"info", "--format", "json"}).value("shim_pid", 0);
}

void supervisor::signal_supervisor(int signo) const {
  trouped_->signal(signo);
}

void supervisor::kill_supervisor() {
  trouped_->signal(SIGKILL);
  REQUIRE(trouped_->wait() == 128 + SIGKILL);
}

int supervisor::terminate_supervisor() {
  trouped_->signal(SIGTERM);
  return trouped_->wait();
}

std::vector<std::string> supervisor::finish() {
  const auto ended = troupe(
    {"shutdown", "--stop-containers", "--timeout", "2"});
  std::vector<std::string> left;
  if (ended.exit_code != 0)
    left.push_back("shutdown: " + ended.err);
  if (const auto code = trouped_->wait(patient(std::chrono::seconds{30}));
      code != 0)
    left.push_back("trouped ended with " + std::to_string(code) + ":\n"
                   + log());
  if (shim_pid_ != 0
      && !wait_for_end(shim_pid_, patient_ms(ending_patience_ms)))
    left.push_back("shim: still runs as " + std::to_string(shim_pid_));
  old_output_ += trouped_->output();
  trouped_.reset();
  for (auto& each : leftovers(directory_, cgroup_parent_))
    left.push_back(std::move(each));
  std::error_code ignored;
  for (const auto& each :
       fs::directory_iterator{directory_ + "/run/containers", ignored})
    if (!each.is_directory() || ended.exit_code != 0)
      left.push_back("file: " + each.path().string());
  return left;
}

command_result supervisor::troupe(std::vector<std::string> argv,
                                  command_options options) const {
  argv.insert(argv.begin(), {program("troupe"), "--socket", socket()});
  return run(argv, options);
}

nlohmann::json
supervisor::troupe_json(const std::vector<std::string>& argv) const {
  const auto did = troupe(argv);
  INFO("troupe " << argv.front() << ": " << did.out << did.err);
  REQUIRE(did.exit_code == 0);
  auto document = nlohmann::json::parse(did.out, nullptr, false);
  REQUIRE_FALSE(document.is_discarded());
  return document;
}

nlohmann::json supervisor::inspect(const std::string& id) const {
  return troupe_json({"inspect", "--format", "json", id});
}

command_result supervisor::curl(const std::string& path,
                                std::vector<std::string> options) const {
  std::vector<std::string> argv{"curl", "-sS", "--unix-socket", socket()};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.push_back("http://troupe" + path);
  return run(argv);
}

std::unique_ptr<background>
supervisor::troupe_background(std::vector<std::string> argv) const {
  argv.insert(argv.begin(), {program("troupe"), "--socket", socket()});
  return std::make_unique<background>(argv);
}

std::string supervisor::log() const {
  return old_output_ + (trouped_ ? trouped_->output() : "");
}

} // namespace troupe::test
