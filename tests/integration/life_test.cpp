// A container's life as a user sees it: trouped, troupe and a real container.

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <regex>
#include <string>

namespace troupe::life_test {

using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

struct fixture {
  fixture() {
    host.start();
  }

  /// `troupe run [options] --rootfs DIR -- /bin/sh -c script`
  test::command_result run_script(std::vector<std::string> options,
                                  const std::string& script) {
    std::vector<std::string> argv{"run"};
    argv.insert(argv.end(), options.begin(), options.end());
    for (const auto* word : {"--rootfs"})
      argv.emplace_back(word);
    argv.push_back(root.path());
    argv.insert(argv.end(), {"--", "/bin/sh", "-c", script});
    return host.troupe(argv);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "run carries output and exit code", "[e2e][run]") {
  const auto did = run_script({"--rm"}, "echo out; echo err >&2; exit 7");

  CHECK(did.exit_code == 7);
  CHECK(did.out == "out\n");
  CHECK(did.err == "err\n");
  CHECK(host.troupe_json({"ps", "-a", "--format", "json"}).empty());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "run's options reach the container", "[e2e][run]") {
  const auto did = run_script(
    {"--rm",         "--hostname",  "stage",    "-e",
     "COLOUR=blue",  "-w",          "/tmp",     "-u",
     "1000:1001",    "--read-only", "--memory", "64m",
     "--pids-limit", "33",          "--cpus",   "0.5",
     "--cap-drop",   "ALL",         "-v",       root.bundle() + ":/data:ro"},
    "hostname; echo $COLOUR; pwd; id -u; id -g; touch /tmp/x 2>/dev/null || "
    "echo read-only; grep CapBnd /proc/self/status; ls /data; touch /data/x "
    "2>/dev/null || echo read-only data");

  CHECK(did.err.empty());
  CHECK(did.out
        == "stage\nblue\n/tmp\n1000\n1001\nread-only\nCapBnd:\t"
           "0000000000000000\nrootfs\nread-only data\n");
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "limits are in the container's cgroup",
                 "[e2e][run]") {
  REQUIRE(run_script({"-d", "--name", "limited", "--memory", "64m",
                      "--pids-limit", "33"},
                     "sleep 1000")
            .exit_code
          == 0);

  const auto stats = host.troupe_json(
    {"stats", "--no-stream", "--format", "json", "limited"});

  CHECK(stats.value("memory_limit", 0) == 64 << 20);
  CHECK(stats.value("pids_limit", 0) == 33);
  CHECK(stats.value("pids_current", 0) == 1);
  CHECK(host.troupe({"rm", "-f", "limited"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "stdin reaches run -i and exec", "[e2e][stdin]") {
  const auto run = host.troupe(
    {"run", "--rm", "-i", "--rootfs", root.path(), "--", "/bin/cat"},
    {.input = "through run\n"});
  CHECK(run.out == "through run\n");
  CHECK(run.exit_code == 0);

  REQUIRE(run_script({"-d", "--name", "box"}, "sleep 1000").exit_code == 0);
  const auto exec = host.troupe({"exec", "box", "cat"},
                                {.input = std::string(300'000, 'x') + "\n"});
  CHECK(exec.out == std::string(300'000, 'x') + "\n");
  CHECK(exec.exit_code == 0);
  const auto code = host.troupe({"exec", "-e", "A=b", "-w", "/tmp", "box", "sh",
                                 "-c",
                                 "echo $A; pwd; echo e >&2; exit "
                                 "9"});
  CHECK(code.exit_code == 9);
  CHECK(code.out == "b\n/tmp\n");
  CHECK(code.err == "e\n");
  CHECK(host.troupe({"exec", "box", "no-such-thing"}).exit_code == 127);
  CHECK(host.troupe({"exec", "box", "/etc/passwd"}).exit_code == 126);
  CHECK(host.troupe({"rm", "-f", "box"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "inspect tells the whole life", "[e2e][inspect]") {
  REQUIRE(
    run_script({"-d", "--name", "web"}, "echo hello; sleep 1000").exit_code
    == 0);
  const auto running = host.inspect("web");
  CHECK(running["id"] == "web");
  CHECK(running["status"] == "running");
  CHECK(running["pid"].get<int>() > 1);
  CHECK(running["exit_code"].is_null());
  CHECK(running["finished"].is_null());
  const std::regex moment{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)"};
  CHECK(std::regex_match(running["created"].get<std::string>(), moment));
  CHECK(std::regex_match(running["started"].get<std::string>(), moment));
  CHECK(std::filesystem::exists(running["log_path"].get<std::string>()));

  const auto processes = host.troupe_json({"top", "--format", "json", "web"});
  REQUIRE_FALSE(processes.empty());
  CHECK(processes[0]["command"].get<std::string>().find("sleep")
        != std::string::npos);

  CHECK(host.troupe({"stop", "-t", "0.2", "web"}).exit_code == 0);
  const auto stopped = host.inspect("web");
  CHECK(stopped["status"] == "stopped");
  CHECK(stopped["exit_code"] == 137);
  CHECK(stopped["oom_killed"] == false);
  CHECK(stopped["pid"] == 0);
  CHECK(host.troupe({"wait", "web"}).out == "137\n");
  CHECK(host.troupe({"logs", "web"}).out == "hello\n");
  CHECK(host.troupe({"rm", "web"}).out == "web\n");
  CHECK(host.troupe({"inspect", "web"}).exit_code != 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "create waits for start", "[e2e][create]") {
  const auto created = host.troupe({"create", "--name", "later", "--rootfs",
                                    root.path(), "--", "/bin/sh", "-c",
                                    "exit 5"});
  REQUIRE(created.err.empty());
  CHECK(created.out == "later\n");
  CHECK(host.inspect("later")["status"] == "created");

  CHECK(host.troupe({"start", "-a", "later"}).exit_code == 5);
  CHECK(host.inspect("later")["status"] == "stopped");
  CHECK(host.troupe({"start", "later"}).exit_code == 125);
  CHECK(host.troupe({"rm", "later"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "pause freezes and unpause thaws", "[e2e][pause]") {
  REQUIRE(run_script({"-d", "--name", "p"}, "sleep 1000").exit_code == 0);

  CHECK(host.troupe({"pause", "p"}).exit_code == 0);
  CHECK(host.inspect("p")["status"] == "paused");
  CHECK(host.troupe({"pause", "p"}).exit_code == 0);
  const auto refused = host.troupe({"exec", "p", "true"});
  CHECK(refused.exit_code == 125);
  CHECK(refused.err.find("paused") != std::string::npos);
  CHECK(host.troupe({"unpause", "p"}).exit_code == 0);
  CHECK(host.inspect("p")["status"] == "running");
  CHECK(host.troupe({"pause", "p"}).exit_code == 0);
  CHECK(host.troupe({"kill", "p"}).exit_code == 0);
  CHECK(host.troupe({"wait", "p"}).out == "137\n");
  CHECK(host.troupe({"rm", "p"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an OOM kill is told before the exit", "[e2e][oom]") {
  const auto did = run_script({"--name", "hungry", "--memory", "16m"},
                              "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done");
  CHECK(did.exit_code == 137);
  CHECK(host.inspect("hungry")["oom_killed"] == true);

  const auto events = host.troupe(
    {"events", "--format", "json", "--container", "hungry"});
  std::vector<std::string> types;
  std::istringstream lines{events.out};
  for (std::string line; std::getline(lines, line);)
    types.push_back(json::parse(line)["type"]);
  CHECK(types
        == std::vector<std::string>{"created", "started", "oom", "exited",
                                    "stopped"});
  CHECK(host.troupe({"rm", "hungry"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a bundle runs by its config.json", "[e2e][bundle]") {
  root.write("../config.json", R"({
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "process": {"cwd": "/", "args": ["/bin/sh", "-c", "echo from the bundle"],
                "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]
  })");

  CHECK(host.troupe({"run", "--rm", root.bundle()}).out == "from the bundle\n");
  CHECK(host
          .troupe({"run", "--rm", "-e", "X=1", root.bundle(), "/bin/sh", "-c",
                   "echo $X"})
          .out
        == "1\n");
  const auto steps = host.troupe_json(
    {"explain", "--format", "json", root.bundle()});
  CHECK(steps.size() > 5);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "logs can be cut, followed and dated",
                 "[e2e][logs]") {
  REQUIRE(run_script({"--name", "l"}, "echo 1; echo 2; echo 3 >&2; printf 4")
            .exit_code
          == 0);

  CHECK(host.troupe({"logs", "l"}).out == "1\n2\n4");
  CHECK(host.troupe({"logs", "l"}).err == "3\n");
  CHECK(host.troupe({"logs", "--tail", "1", "l"}).out == "4");
  CHECK(host.troupe({"logs", "--since", "2000-01-01T00:00:00Z", "l"}).out
        == "1\n2\n4");
  CHECK(
    host.troupe({"logs", "--since", "2100-01-01T00:00:00Z", "l"}).out.empty());
  CHECK(host.troupe({"logs", "-f", "l"}).out == "1\n2\n4");

  const auto follow = host.troupe_background({"logs", "-f", "f"});
  CHECK(follow->wait() == 125); // no such container
  REQUIRE(
    run_script({"-d", "--name", "f"}, "read x < /data/go; echo after; exit 0")
      .exit_code
    == 0);
  CHECK(host.troupe({"rm", "-f", "f", "l"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "logs -f ends with the container", "[e2e][logs]") {
  REQUIRE(host
            .troupe({"create", "--name", "f", "--rootfs", root.path(), "--",
                     "/bin/sh", "-c", "echo first; sleep 0.3; echo last"})
            .exit_code
          == 0);
  const auto follow = host.troupe_background({"logs", "-f", "f"});
  REQUIRE(host.troupe({"start", "f"}).exit_code == 0);

  CHECK(follow->wait() == 0);
  CHECK(follow->output() == "first\nlast\n");
  CHECK(host.troupe({"rm", "f"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "events come in order and can be followed",
                 "[e2e][events]") {
  const auto follow = host.troupe_background(
    {"events", "--follow", "--format", "json"});
  REQUIRE(run_script({"--name", "e"}, "exit 3").exit_code == 3);
  REQUIRE(host.troupe({"rm", "e"}).exit_code == 0);

  REQUIRE(follow->wait_for_output("destroyed"));
  std::istringstream lines{follow->output()};
  std::vector<std::string> types;
  std::int64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::parse(line);
    CHECK(event["seq"].get<std::int64_t>() == last + 1);
    last = event["seq"];
    CHECK(event["container"] == "e");
    types.push_back(event["type"]);
    if (event["type"] == "exited")
      CHECK(event["exit_code"] == 3);
  }
  CHECK(types
        == std::vector<std::string>{"created", "started", "exited", "stopped",
                                    "destroyed"});
  const auto since = host.troupe(
    {"events", "--since", std::to_string(last - 1), "--format", "json"});
  CHECK(json::parse(since.out)["type"] == "destroyed");
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "SIGTERM at run's client reaches the container",
                 "[e2e][signals]") {
  const auto client = host.troupe_background(
    {"run", "--rm", "--rootfs", root.path(), "--", "/bin/sh", "-c",
     "trap 'echo got it; exit 4' TERM; echo ready; while :; do sleep 0.05; "
     "done"});
  REQUIRE(client->wait_for_output("ready"));

  client->signal(SIGTERM);

  CHECK(client->wait() == 4);
  CHECK(client->output() == "ready\ngot it\n");
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "no descriptor of ours reaches a container",
                 "[e2e][security]") {
  REQUIRE(run_script({"-d", "--name", "other"}, "sleep 1000").exit_code == 0);
  const auto did = run_script({"--rm"}, "ls /proc/self/fd");

  // 0, 1, 2, and the one with which ls reads the directory.
  CHECK(did.out == "0\n1\n2\n3\n");
  CHECK(host.troupe({"rm", "-f", "other"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::life_test
