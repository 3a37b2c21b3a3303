// Exec sessions that somebody has left running.

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using Catch::Contains;

namespace {

const auto nothing = std::vector<std::string>{};

struct fixture {
  fixture() {
    host.start();
    REQUIRE(host
              .troupe({"run", "-d", "--name", "web", "--rootfs", root.path(),
                       "--", "/bin/sleep", "1000"})
              .exit_code
            == 0);
  }

  std::string begin(const std::string& script,
                    const std::string& how = "--detach") {
    const auto said = host.troupe({"exec", how, "web", "sh", "-c", script});
    INFO(said.err);
    REQUIRE(said.exit_code == 0);
    return said.out.substr(0, said.out.find('\n'));
  }

  test::command_result ask(const std::string& verb, const std::string& session,
                           std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"exec", verb, "web", session});
    return host.troupe(options);
  }

  std::string status(const std::string& session) {
    return nlohmann::json::parse(ask("inspect", session).out).at("status");
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "sessions are listed, waited for and forgotten",
                 "[e2e][exec]") {
  const auto first = begin("exit 3");
  const auto second = begin("sleep 1000");
  CHECK(ask("wait", first).out == "3\n");
  const auto list = host.troupe({"exec", "ls", "web"});
  CHECK_THAT(list.out, Contains(first) && Contains(second)
                         && Contains("stopped") && Contains("running")
                         && Contains("sleep 1000"));
  CHECK_THAT(host.troupe({"exec", "ls", "-q", "web"}).out,
             Contains(first + "\n"));
  CHECK(host.troupe_json({"exec", "ls", "--format", "json", "web"}).size()
        == 2);
  CHECK(ask("rm", first).exit_code == 0);
  const auto refused = ask("rm", second);
  CHECK(refused.exit_code == 125);
  CHECK_THAT(refused.err, Contains("running"));
  CHECK(ask("rm", second, {"--force"}).exit_code == 0);
  CHECK(host.troupe({"exec", "ls", "-q", "web"}).out.empty());
  CHECK_THAT(ask("inspect", "nonesuch").err, Contains("nonesuch"));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session stops at SIGTERM, or at SIGKILL",
                 "[e2e][exec]") {
  const auto polite = begin("trap 'exit 7' TERM; while :; do sleep 0.1; done");
  const auto deaf = begin("trap '' TERM; while :; do sleep 0.1; done");
  const auto quick = begin("trap 'exit 7' TERM; while :; do sleep 0.1; done");
  CHECK(ask("stop", polite, {"-t", "60"}).exit_code == 0);
  CHECK(status(polite) == "stopped");
  CHECK(ask("stop", deaf, {"-t", "0.3"}).exit_code == 0);
  CHECK(ask("wait", deaf).out == "137\n");
  CHECK(ask("stop", quick, {"-t", "0"}).exit_code == 0);
  CHECK(ask("wait", quick).out == "137\n");
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session that was left can be attached to",
                 "[e2e][exec]") {
  const auto session = begin(
    "until [ -e /go ]; do echo tick; sleep 0.1; done; echo hello; exit 4");
  const auto looker = host.troupe_background(
    {"exec", "attach", "web", session});
  REQUIRE(looker->wait_for_output("tick"));
  REQUIRE(host.troupe({"exec", "web", "sh", "-c", "echo >/go"}).exit_code == 0);
  CHECK(looker->wait() == 4);
  CHECK_THAT(looker->output(), Contains("hello"));
  CHECK(host.finish() == nothing);
}
