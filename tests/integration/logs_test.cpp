// Logs as a user meets them.

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace troupe::logs_test {

using Catch::Contains;

namespace {

const auto nothing = std::vector<std::string>{};

struct fixture {
  fixture() {
    host.start();
  }

  test::command_result run(std::vector<std::string> options,
                           const std::string& script) {
    options.insert(options.begin(), "run");
    options.insert(options.end(),
                   {"--rootfs", root.path(), "--", "/bin/sh", "-c", script});
    return host.troupe(options);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "each driver logs what was written, or nothing",
                 "[e2e][log]") {
  const auto script = "echo out; echo err >&2; printf 'a\\377b'";
  for (const auto* driver : {"k8s-file", "json-file"}) {
    INFO(driver);
    CHECK(run({"--name", driver, "--log-driver", driver}, script).exit_code
          == 0);
    const auto logs = host.troupe({"logs", driver});
    CHECK(logs.out
          == "out\na\xff"
             "b");
    CHECK(logs.err == "err\n");
    CHECK(host.troupe({"logs", "--stream", "stderr", driver}).out.empty());
    CHECK(host.troupe({"logs", "--tail", "1", "--stream", "stdout", driver}).out
          == "a\xff"
             "b");
    const auto now = host.inspect(driver);
    CHECK(now.at("log_driver") == driver);
    CHECK(now.at("output").at("bytes") == 11);
    CHECK(now.at("output").at("logged") == 11);
  }
  CHECK(run({"--name", "none", "--log-driver", "none"}, script).out
        == "out\na\xff"
           "b");
  const auto none = host.troupe({"logs", "none"});
  CHECK(none.exit_code == 125);
  CHECK_THAT(none.err, Contains("none"));
  const auto through = run({"--rm", "--log-driver", "passthrough"}, script);
  CHECK(through.out
        == "out\na\xff"
           "b");
  CHECK(through.err == "err\n");
  const auto tty = run({"-t", "--log-driver", "passthrough"}, script);
  CHECK(tty.exit_code == 125);
  CHECK_THAT(tty.err, Contains("terminal"));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a driver that this host has not is refused whole",
                 "[e2e][log]") {
  const auto refused = run({"--name", "web", "--log-driver", "journald",
                            "--log-opt", "path=/nonesuch/socket"},
                           "true");
  CHECK(refused.exit_code == 125);
  CHECK_THAT(refused.err, Contains("/nonesuch/socket") && Contains("ENOENT"));
  CHECK(run({"--log-opt", "color=red"}, "true").exit_code == 125);
  CHECK(run({"--log-driver", "syslog"}, "true").exit_code == 125);
  CHECK(host.troupe({"ps", "-aq"}).out.empty());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture,
                 "a log lies where somebody wants it, in files of a "
                 "size",
                 "[e2e][log]") {
  const auto path = host.directory() + "/own.log";
  CHECK(run({"--name", "web", "--log-opt", "path=" + path, "--log-opt",
             "max-size=4k", "--log-opt", "max-file=2"},
            "seq 1 1000")
          .exit_code
        == 0);
  CHECK(std::filesystem::file_size(path) <= 4096);
  CHECK(std::filesystem::exists(path + ".1"));
  CHECK_FALSE(std::filesystem::exists(path + ".2"));
  CHECK_THAT(host.troupe({"logs", "web"}).out, Catch::EndsWith("999\n1000\n"));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a moved log is opened again, and followed",
                 "[e2e][log]") {
  const auto path = host.directory() + "/own.log";
  REQUIRE(run({"-d", "--name", "web", "--log-opt", "path=" + path},
              "echo before; while ! [ -e /tmp/go ]; do sleep 0.05; done; "
              "echo after")
            .exit_code
          == 0);
  const auto follower = host.troupe_background({"logs", "-f", "web"});
  REQUIRE(follower->wait_for_output("before\n"));
  std::filesystem::rename(path, path + ".1");
  CHECK(host.troupe({"logs", "--reopen", "web"}).exit_code == 0);
  std::ofstream{root.path() + "/tmp/go"};
  CHECK(follower->wait() == 0);
  CHECK(follower->output() == "before\nafter\n");
  CHECK(host.troupe({"logs", "--reopen", "web"}).exit_code == 125);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a log is read up to a moment", "[e2e][log]") {
  REQUIRE(run({"--name", "web"}, "echo one; sleep 0.3; echo two").exit_code
          == 0);
  const auto lines = host.troupe({"logs", "-t", "web"}).out;
  const auto first = lines.substr(0, lines.find(' '));
  CHECK(host.troupe({"logs", "--until", first, "web"}).out == "one\n");
  CHECK(host.troupe({"logs", "--since", first, "web"}).out == "one\ntwo\n");
  CHECK(host.troupe({"logs", "--until", "1h", "web"}).out.empty());
  CHECK(host.troupe({"logs", "--until", "soon", "web"}).exit_code == 125);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture,
                 "a log is whole across rotations and a killed "
                 "supervisor",
                 "[e2e][log]") {
  REQUIRE(run({"-d", "--name", "web", "--log-opt", "max-size=200k", "--log-opt",
               "max-file=50"},
              "seq 1 50000; sleep 0.3; seq 50001 100000")
            .exit_code
          == 0);
  host.kill_supervisor();
  host.start();
  CHECK(host.troupe({"wait", "web"}).out == "0\n");
  std::string expected;
  for (auto i = 1; i <= 100'000; ++i)
    expected += std::to_string(i) + '\n';
  CHECK((host.troupe({"logs", "web"}).out == expected));
  const auto path = host.inspect("web").at("log_path").get<std::string>();
  CHECK(std::filesystem::exists(path + ".20"));
  const auto output = host.inspect("web").at("output");
  CHECK(output.at("bytes") == expected.size());
  CHECK(output.at("logged") == expected.size());
  CHECK(host.finish() == nothing);
}

} // namespace troupe::logs_test
