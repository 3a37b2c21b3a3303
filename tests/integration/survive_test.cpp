// kill -9 of the supervisor: nothing is lost.

#include "tests/support/repeats.hpp"
#include "tests/support/running_host.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace troupe::survive_test {

using nlohmann::json;

using fixture = test::running_host;
using test::nothing;

TEST_CASE_METHOD(fixture, "containers outlive the supervisor",
                 "[survive][restart]") {
  REQUIRE(run_detached("runs", "echo before; sleep 1000").exit_code == 0);
  REQUIRE(run_detached("ends", "read x < /data/none 2>/dev/null; sleep 0.3; "
                               "echo late; exit 6")
            .exit_code
          == 0);
  REQUIRE(host
            .troupe({"create", "--name", "waits", "--rootfs", root.path(), "--",
                     "/bin/sh", "-c", "exit 8"})
            .exit_code
          == 0);
  REQUIRE(run_detached("frozen", "sleep 1000").exit_code == 0);
  REQUIRE(host.troupe({"pause", "frozen"}).exit_code == 0);
  const auto pid = host.inspect("runs")["pid"];

  host.kill_supervisor();
  const auto refused = host.troupe({"ps"});
  CHECK(refused.exit_code == 125);
  CHECK(refused.err.find("start one with") != std::string::npos);
  host.start();

  CHECK(host.inspect("runs")["pid"] == pid);
  CHECK(host.inspect("runs")["status"] == "running");
  CHECK(host.inspect("waits")["status"] == "created");
  CHECK(host.inspect("frozen")["status"] == "paused");
  CHECK(host.troupe({"wait", "ends"}).out == "6\n");
  CHECK(host.troupe({"logs", "ends"}).out == "late\n");
  CHECK(host.troupe({"start", "-a", "waits"}).exit_code == 8);
  CHECK(host.troupe({"exec", "runs", "echo", "still here"}).out
        == "still here\n");
  CHECK(host.troupe({"rm", "-f", "runs", "ends", "waits", "frozen"}).exit_code
        == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an attached client keeps its stream",
                 "[survive][attach]") {
  const auto client = host.troupe_background(
    {"run", "--name", "c", "--rootfs", root.path(), "--", "/bin/sh", "-c",
     "echo one; while [ ! -e /tmp/go ]; do sleep 0.02; done; echo two; exit "
     "3"});
  REQUIRE(client->wait_for_output("one"));

  host.kill_supervisor();
  root.write("tmp/go", "");

  CHECK(client->wait() == 3);
  CHECK(client->output() == "one\ntwo\n");
  host.start();
  CHECK(host.inspect("c")["exit_code"] == 3);
  CHECK(host.troupe({"rm", "c"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "SIGTERM ends the supervisor, not the containers",
                 "[survive][terminate]") {
  REQUIRE(run_detached("stays", "sleep 1000").exit_code == 0);

  CHECK(host.terminate_supervisor() == 0);
  host.start();

  CHECK(host.inspect("stays")["status"] == "running");
  CHECK(host.troupe({"rm", "-f", "stays"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "the directory of a later trouped is left alone",
                 "[survive][restart]") {
  REQUIRE(run_detached("runs", "sleep 1000").exit_code == 0);
  const auto pid = host.inspect("runs")["pid"];
  const auto version = host.directory() + "/run/version";
  host.kill_supervisor();
  std::ofstream{version} << "2\n";

  const auto refused = test::run({std::string{TROUPE_BIN_DIR} + "/trouped",
                                  "--root", host.directory() + "/run",
                                  "--state", host.directory() + "/state"});

  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("version: 2, of a later trouped")
        != std::string::npos);
  std::ofstream{version} << "1\n";
  host.start();
  CHECK(host.inspect("runs")["pid"] == pid);
  CHECK(host.troupe({"rm", "-f", "runs"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "50 rounds of kill -9 under load lose nothing",
                 "[survive][rounds]") {
  const auto rounds = test::repeats(50);
  constexpr auto per_round = 4;
  std::map<std::string, int> acknowledged;
  for (auto round = 0; round < rounds; ++round) {
    std::vector<std::unique_ptr<test::background>> clients;
    std::vector<std::string> ids;
    for (auto i = 0; i < per_round; ++i) {
      const auto number = round * per_round + i;
      ids.push_back("r" + std::to_string(number));
      clients.push_back(host.troupe_background(
        {"run", "-d", "--name", ids.back(), "--rootfs", root.path(), "--",
         "/bin/sh", "-c",
         "echo begin " + ids.back() + "; sleep 0." + std::to_string(number % 4)
           + "; echo end " + ids.back() + "; exit "
           + std::to_string(number % 100)}));
    }
    // At another moment of the launches each time: after 0 to 4 answers.
    for (auto i = 0; i < round % (per_round + 1); ++i)
      static_cast<void>(clients[static_cast<std::size_t>(i)]->wait());
    host.kill_supervisor();
    host.start();
    for (auto i = 0; i < per_round; ++i)
      if (clients[static_cast<std::size_t>(i)]->wait() == 0)
        acknowledged[ids[static_cast<std::size_t>(i)]] = (round * per_round + i)
                                                         % 100;
  }
  INFO(acknowledged.size() << " of " << rounds * per_round << " acknowledged");
  CHECK(acknowledged.size() >= static_cast<std::size_t>(rounds));
  for (const auto& [id, code] : acknowledged) {
    INFO(id);
    CHECK(host.troupe({"wait", id}).out == std::to_string(code) + "\n");
    CHECK(host.troupe({"logs", id}).out
          == "begin " + id + "\nend " + id + "\n");
  }

  // The event log is gap-free, tells each life once, and in order.
  const auto all = host.troupe({"events", "--format", "json"});
  std::map<std::string, std::vector<std::string>> lives;
  std::int64_t last = 0;
  std::istringstream lines{all.out};
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::parse(line);
    CHECK(event["seq"].get<std::int64_t>() == ++last);
    lives[event["container"]].push_back(event["type"]);
  }
  for (const auto& [id, code] : acknowledged) {
    INFO(id << " " << code);
    CHECK(
      lives[id]
      == std::vector<std::string>{"created", "started", "exited", "stopped"});
  }

  // Whatever was not acknowledged is in a defined state too.
  for (const auto& x : host.troupe_json({"ps", "-a", "--format", "json"})) {
    INFO(x.dump());
    CHECK(std::set<std::string>{"created", "running", "stopped"}.contains(
      x["status"].get<std::string>()));
    CHECK(host.troupe({"rm", "-f", x["id"].get<std::string>()}).exit_code == 0);
  }
  CHECK(host.troupe_json({"ps", "-a", "--format", "json"}).empty());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "200 containers at once: every code, every line",
                 "[survive][many]") {
  const auto count = test::repeats(200);
  std::vector<std::unique_ptr<test::background>> clients;
  for (auto i = 0; i < count; ++i)
    clients.push_back(
      host.troupe_background({"run", "-d", "--name", "m" + std::to_string(i),
                              "--rootfs", root.path(), "--", "/bin/sh", "-c",
                              "echo I am m" + std::to_string(i) + "; exit "
                                + std::to_string(i % 256)}));
  for (auto i = 0; i < count; ++i) {
    INFO(i << ": " << clients[static_cast<std::size_t>(i)]->output());
    CHECK(clients[static_cast<std::size_t>(i)]->wait() == 0);
  }

  for (auto i = 0; i < count; ++i) {
    const auto id = "m" + std::to_string(i);
    INFO(id);
    CHECK(host.troupe({"wait", id}).out == std::to_string(i % 256) + "\n");
    CHECK(host.troupe({"logs", id}).out == "I am " + id + "\n");
  }
  std::vector<std::string> all{"rm"};
  for (auto i = 0; i < count; ++i)
    all.push_back("m" + std::to_string(i));
  CHECK(host.troupe(all).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::survive_test
