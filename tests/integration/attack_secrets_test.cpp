// What a running supervisor shows of itself and of its containers' secrets.

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/shim_client.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <sys/stat.h>

namespace troupe::attack_secrets_test {

using Catch::Contains;
using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

/// The inodes of the sockets that a process has open.
std::set<std::string> sockets_of(int pid) {
  std::set<std::string> out;
  const auto all = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& each : std::filesystem::directory_iterator{all}) {
    auto error = std::error_code{};
    const auto target
      = std::filesystem::read_symlink(each.path(), error).string();
    constexpr std::string_view kind = "socket:[";
    if (target.starts_with(kind))
      out.insert(target.substr(kind.size(), target.size() - kind.size() - 1));
  }
  return out;
}

/// The names of unix sockets by inode, as /proc/PID/net/unix shows them.
std::map<std::string, std::string> unix_names(int pid) {
  std::map<std::string, std::string> out;
  std::istringstream lines{
    test::file_content("/proc/" + std::to_string(pid) + "/net/unix")};
  std::string line;
  std::getline(lines, line); // the heading
  while (std::getline(lines, line)) {
    std::istringstream fields{line};
    std::string skipped;
    std::string inode;
    std::string name;
    for (auto i = 0; i < 6; ++i)
      fields >> skipped;
    fields >> inode >> name;
    out[inode] = name;
  }
  return out;
}

/// How many bound unix sockets it has; every one of them is a file.
int bound_sockets(int pid) {
  const auto names = unix_names(pid);
  auto bound = 0;
  for (const auto& inode : sockets_of(pid)) {
    const auto found = names.find(inode);
    if (found == names.end() || found->second.empty())
      continue;
    ++bound;
    CAPTURE(pid, found->second);
    CHECK(found->second.starts_with('/')); // an abstract one starts with @
  }
  return bound;
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  CAPTURE(path);
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

/// Modes of all that lies below `directory`: nothing for others, and for the
/// group the supervisor's socket and the logs only.
void check_modes(const std::string& directory) {
  for (const auto& each :
       std::filesystem::recursive_directory_iterator{directory}) {
    const auto path = each.path().string();
    CAPTURE(path);
    if (each.is_directory())
      CHECK(mode_of(path) == 0700);
    else if (each.is_socket())
      CHECK((mode_of(path) & 0117) == 0);
    else
      CHECK((mode_of(path) & 0137) == 0);
  }
}

int pid_of_supervisor(const test::supervisor& host) {
  std::ifstream in{host.directory() + "/run/trouped.lock"};
  auto pid = 0;
  in >> pid;
  REQUIRE(pid > 0);
  return pid;
}

struct fixture {
  fixture() {
    host.start({"--log-level", "trace"});
  }

  test::command_result run(std::vector<std::string> options,
                           const std::vector<std::string>& program) const {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--rootfs", root.path(), "--"});
    options.insert(options.end(), program.begin(), program.end());
    return host.troupe(options);
  }

  /// All that is kept or told of what has happened.
  [[nodiscard]] std::string told() const {
    auto out = host.log();
    const auto events = host.troupe({"events", "--format", "json"});
    REQUIRE(events.exit_code == 0);
    REQUIRE_FALSE(events.out.empty());
    out += events.out;
    for (const auto* name : {"events.db", "events.db-wal"})
      out += test::file_content(host.directory() + "/state/" + name);
    return out;
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "sockets are files, and files are the owner's",
                 "[e2e][rule-9]") {
  REQUIRE(run({"-d", "--name", "web"}, {"/bin/sleep", "1000"}).exit_code == 0);
  const auto session = host.troupe_background(
    {"exec", "web", "sh", "-c",
     "echo there; while [ ! -e /data/end ]; do sleep 0.1; done"});
  REQUIRE(session->wait_for_output("there"));
  const auto supervisor = pid_of_supervisor(host);
  const auto shim
    = host.troupe_json({"info", "--format", "json"}).at("shim_pid").get<int>();
  const auto container = host.inspect("web").at("pid").get<int>();

  CHECK(bound_sockets(supervisor) > 0);
  CHECK(bound_sockets(shim) > 0);
  CHECK(sockets_of(container).empty());
  CHECK(mode_of(host.directory() + "/run") == 0700);
  CHECK(mode_of(host.directory() + "/state") == 0700);
  CHECK(mode_of(host.socket()) == 0660);
  check_modes(host.directory() + "/run");
  check_modes(host.directory() + "/state");
  root.write("data/end", "");
  CHECK(session->wait() == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "the log names who asked for a change",
                 "[e2e][rule-9]") {
  // A child of ours whose pid is known: it becomes curl.
  const auto asked = test::run(
    {"/bin/sh", "-c",
     "echo $$; exec curl -sS --unix-socket " + host.socket()
       + " -X DELETE http://troupe/v1/containers/none"});
  const auto pid = asked.out.substr(0, asked.out.find('\n'));
  CHECK_THAT(asked.out, Contains("none"));
  // A thread of its own writes it, which may come later than the answer.
  const auto line = "audit: uid 0 pid " + pid
                    + ": DELETE '/v1/containers/none'";
  CHECK(test::eventually(
    [&] { return host.log().find(line) != std::string::npos; }));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "values of the environment are told to nobody",
                 "[e2e][rule-12]") {
  const std::string secret = "hunter2-of-the-container";
  const auto given = "TOKEN=" + secret;
  // It arrives,
  const auto ran = run({"--name", "web", "-e", given},
                       {"/bin/sh", "-c", "echo $TOKEN"});
  CHECK(ran.out == secret + "\n");
  REQUIRE(
    run({"-d", "--name", "box", "-e", given}, {"/bin/sleep", "1000"}).exit_code
    == 0);
  CHECK(host
          .troupe(
            {"exec", "-e", "OTHER=" + secret, "box", "sh", "-c", "echo $OTHER"})
          .out
        == secret + "\n");
  // and every way to fail that comes past it is told of without it.
  CHECK(run({"--name", "a", "-e", given}, {"/no/such/program"}).exit_code
        == 127);
  CHECK(run({"--name", "b", "-e", "=" + secret}, {"/bin/true"}).exit_code
        == 125);
  CHECK(run({"--name", "c", "-e", given, "-u", "nobody-here"}, {"/bin/true"})
          .exit_code
        == 125);
  CHECK(host.troupe({"exec", "-e", given, "box", "/no/such"}).exit_code == 127);
  CHECK(host.troupe({"exec", "-e", "=" + secret, "box", "true"}).exit_code
        == 125);
  for (const auto& wrong :
       {json::array({"A=1", "=" + secret}), json::array({secret}),
        json::array({given + '\n', 1}), json(given)}) {
    auto document = oci::to_json(default_spec(root.path()));
    document["process"]["env"] = wrong;
    std::ofstream{root.bundle() + "/config.json"} << document.dump();
    (void)host.troupe({"run", "--rm", "--name", "d", root.bundle()});
  }
  CHECK_THAT(told(), !Contains(secret) && Contains("audit: "));
  CHECK(host.finish() == nothing);
}

} // namespace troupe::attack_secrets_test
