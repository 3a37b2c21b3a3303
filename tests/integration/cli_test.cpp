// The command line itself: help, versions, errors, completion, documents.

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>
#include <string>

namespace troupe::cli_test {

namespace {

const auto nothing = std::vector<std::string>{};

std::string troupe_program() {
  return std::string{TROUPE_BIN_DIR} + "/troupe";
}

std::string trouped_program() {
  return std::string{TROUPE_BIN_DIR} + "/trouped";
}

/// The fenced `sh` blocks of a document, one after another.
std::string shell_blocks(const std::string& path) {
  std::ifstream in{path};
  REQUIRE(in);
  std::ostringstream out;
  auto inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```"))
      inside = !inside && line == "```sh";
    else if (inside)
      out << line << '\n';
  }
  return out.str();
}

} // namespace

TEST_CASE("every command has help", "[cli]") {
  for (const auto* command :
       {"run",     "create",   "start",     "ps",    "inspect", "top",
        "exec",    "logs",     "kill",      "stop",  "pause",   "unpause",
        "wait",    "rm",       "events",    "stats", "explain", "info",
        "version", "shutdown", "completion"}) {
    const auto did = test::run({troupe_program(), command, "--help"});
    INFO(command << did.err);
    CHECK(did.exit_code == 0);
    CHECK(did.out.size() > 80);
  }
  CHECK(test::run({troupe_program()}).out.find("Usage") != std::string::npos);
  CHECK(test::run({trouped_program(), "--help"}).exit_code == 0);
  CHECK(test::run({trouped_program(), "--version"}).out.find("0.")
        != std::string::npos);
}

TEST_CASE("usage errors are 125 and name the word", "[cli]") {
  for (const auto& argv : std::vector<std::vector<std::string>>{
         {"no-such-command"},
         {"run", "--no-such-option", "x"},
         {"run"},
         {"ps", "--format", "yaml"},
         {"kill", "--signal", "NOPE", "x"},
         {"run", "--memory", "lots", "--rootfs", "/", "--", "true"}}) {
    auto whole = argv;
    whole.insert(whole.begin(), troupe_program());
    const auto did = test::run(whole);
    INFO(argv.back() << did.out << did.err);
    CHECK(did.exit_code == 125);
    CHECK_FALSE((did.err + did.out).empty());
  }
}

TEST_CASE("without a supervisor the error says how to start one", "[cli]") {
  const auto did = test::run(
    {troupe_program(), "--socket", "/no/such/socket", "ps"});
  CHECK(did.exit_code == 125);
  CHECK(did.err.find("/no/such/socket") != std::string::npos);
  CHECK(did.err.find("trouped") != std::string::npos);
}

TEST_CASE("the socket comes from TROUPE_SOCKET too", "[cli]") {
  test::supervisor host;
  host.start();
  const auto did = test::run({troupe_program(), "version"},
                             {.env = {"TROUPE_SOCKET=" + host.socket()}});
  CHECK(did.exit_code == 0);
  CHECK(did.out.find("not running") == std::string::npos);
  CHECK(host.finish() == nothing);
}

TEST_CASE("a second supervisor on the same root is refused", "[cli]") {
  test::supervisor host;
  host.start();
  const auto did = test::run({trouped_program(), "--root",
                              host.directory() + "/run", "--state",
                              host.directory() + "/state"});
  CHECK(did.exit_code == 1);
  CHECK(did.err.find("another trouped") != std::string::npos);
  CHECK(host.troupe({"ps"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE("settings are refused with a pointer", "[cli]") {
  const test::busybox_rootfs place;
  const auto file = place.bundle() + "/settings.json";
  std::ofstream{file} << R"({"log_levle": "info"})";
  const auto did = test::run({trouped_program(), "--config", file, "--root",
                              place.bundle() + "/run", "--state",
                              place.bundle() + "/state"});
  CHECK(did.exit_code == 2);
  CHECK(did.err.find("/log_levle") != std::string::npos);
}

TEST_CASE("completion scripts parse", "[cli]") {
  const auto script = test::run({troupe_program(), "completion", "bash"});
  REQUIRE(script.exit_code == 0);
  CHECK(script.out.find("--memory") != std::string::npos);
  CHECK(test::run({"bash", "-n"}, {.input = script.out}).exit_code == 0);
}

TEST_CASE("explain shows the lifecycle as a table, JSON and a graph", "[cli]") {
  const auto dot = test::run(
    {troupe_program(), "explain", "--lifecycle", "--format", "dot"});
  CHECK(dot.out.starts_with("digraph"));
  CHECK(dot.out.find("pausing -> paused") != std::string::npos);
  const auto rows = nlohmann::json::parse(
    test::run({troupe_program(), "explain", "--lifecycle", "--format", "json"})
      .out);
  CHECK(rows.size() > 30);
}

TEST_CASE("the API document's examples work in order", "[cli][api]") {
  test::supervisor host;
  host.start();
  const test::busybox_rootfs root;
  const auto script = "set -eu\n"
                      + shell_blocks(std::string{TROUPE_SOURCE_DIR}
                                     + "/docs/api.md");
  REQUIRE(script.find("curl") != std::string::npos);

  const auto did = test::run(
    {"bash", "-x"}, {.input = script,
                     .env = {"SOCK=" + host.socket(), "ROOTFS=" + root.path(),
                             "BUNDLE=" + root.bundle()}});

  INFO(did.out << '\n' << did.err);
  CHECK(did.exit_code == 0);
}

} // namespace troupe::cli_test
