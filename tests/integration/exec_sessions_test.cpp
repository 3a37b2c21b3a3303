// Exec sessions that somebody has left running.

#include "tests/support/http_client.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/shim_client.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace troupe::exec_sessions_test {

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

  /// One that runs on, with `trap` set: whoever signals it may.
  std::string begin_with_trap(const std::string& trap) {
    const auto ready = "tmp/ready-" + std::to_string(++traps);
    auto session = begin(trap + "; : > /" + ready
                         + "; while :; do sleep 0.1; done");
    REQUIRE(test::eventually(
      [&] { return std::filesystem::exists(root.path() + "/" + ready); }));
    return session;
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
  int traps = 0;
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
  const auto polite = begin_with_trap("trap 'exit 7' TERM");
  const auto deaf = begin_with_trap("trap '' TERM");
  const auto quick = begin_with_trap("trap 'exit 7' TERM");
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

TEST_CASE_METHOD(fixture, "whatever a session has started ends with its time",
                 "[e2e][exec]") {
  // Grandchildren, one of them of nobody any more, in a session of its own.
  const auto script = "sleep 301 & (setsid sleep 302 &); sleep 303";
  SECTION("by its time-out") {
    const auto said = host.troupe(
      {"exec", "--timeout", "500ms", "web", "sh", "-c", script});
    CHECK(said.exit_code == 124);
    CHECK_THAT(said.err, Contains("500ms"));
  }
  SECTION("by stop, politely") {
    const auto session = begin(script);
    CHECK(ask("stop", session, {"-t", "60"}).exit_code == 0);
    CHECK(status(session) == "stopped");
  }
  SECTION("by stop, at once") {
    const auto session = begin(script);
    CHECK(ask("stop", session, {"-t", "0"}).exit_code == 0);
    const auto last = nlohmann::json::parse(ask("inspect", session).out);
    CHECK(last.at("exit_code") == 137);
    CHECK_FALSE(last.at("timed_out").get<bool>());
  }
  SECTION("by rm -f") {
    CHECK(ask("rm", begin(script), {"--force"}).exit_code == 0);
  }
  CHECK_THAT(host.troupe({"top", "web"}).out,
             !Contains("sleep 30") && Contains("sleep 1000"));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "what a session leaves behind by itself goes on",
                 "[e2e][exec]") {
  CHECK(host.troupe({"exec", "web", "sh", "-c", "sleep 301 & exit 4"}).exit_code
        == 4);
  CHECK_THAT(host.troupe({"top", "web"}).out, Contains("sleep 301"));
  CHECK(host.troupe({"exec", "web", "true"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session's time goes on without its supervisor",
                 "[e2e][exec]") {
  const auto said = host.troupe({"exec", "-d", "--timeout", "2s", "web", "sh",
                                 "-c", "sleep 301 & sleep 302"});
  const auto session = said.out.substr(0, said.out.find('\n'));
  host.kill_supervisor();
  host.start();
  CHECK(ask("wait", session).out == "137\n");
  CHECK(nlohmann::json::parse(ask("inspect", session).out).at("timed_out")
        == true);
  const auto gone = [&] {
    return host.troupe({"top", "web"}).out.find("sleep 30")
           == std::string::npos;
  };
  CHECK(gone());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a paused container is refused, or waited for",
                 "[e2e][exec]") {
  REQUIRE(host.troupe({"pause", "web"}).exit_code == 0);
  const auto refused = host.troupe({"exec", "web", "echo", "hi"});
  CHECK(refused.exit_code == 125);
  CHECK_THAT(refused.err, Contains("paused"));
  const auto waiting = host.troupe_background(
    {"exec", "--ignore-paused", "web", "echo", "hi"});
  REQUIRE(host.troupe({"unpause", "web"}).exit_code == 0);
  CHECK(waiting->wait() == 0);
  CHECK(waiting->output() == "hi\n");
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session gets descriptors of its caller's",
                 "[e2e][exec]") {
  const auto program = std::string{TROUPE_BIN_DIR} + "/troupe";
  const auto said = test::run(
    {"/bin/sh", "-c",
     "echo third > $1/f; exec 3<$1/f; exec \"$0\" --socket \"$2\" exec "
     "--preserve-fds 1 web cat /proc/self/fd/3",
     program, host.directory(), host.socket()});
  INFO(said.err);
  CHECK(said.out == "third\n");
  const auto closed = host.troupe(
    {"exec", "--preserve-fds", "9", "web", "true"});
  CHECK(closed.exit_code == 125);
  CHECK_THAT(closed.err, Contains("EBADF"));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session runs to its end in one call",
                 "[e2e][exec]") {
  const auto call = [&](const std::string& body) {
    return nlohmann::json::parse(
      host.curl("/v1/containers/web/exec-sync", {"-d", body}).out);
  };
  const auto done = call(
    R"({"args":["sh","-c","printf 'a\\0b'; echo e >&2; exit 3"]})");
  CHECK(done.at("exit_code") == 3);
  CHECK(done.at("stdout") == "YQBi");
  CHECK(done.at("stderr") == "ZQo=");
  const auto cut = call(R"({"args":["sh","-c","seq 1 100"],"capture":4})");
  CHECK(cut.at("stdout") == "MQoyCg==");
  CHECK(cut.at("output").at("dropped_by_reason").at("EFBIG") == 288);
  const auto late = call(
    R"({"args":["sh","-c","echo begun; sleep 301"],"timeout":0.5})");
  CHECK(late.at("timed_out") == true);
  CHECK(late.at("stdout") == "YmVndW4K");
  CHECK(call(R"({"args":["/no/such"]})").at("error").at("code")
        == "command_not_found");
  CHECK(call(R"({"args":["true"],"tty":true})").contains("error"));
  CHECK(host.troupe({"exec", "ls", "-q", "web"}).out.empty());
  CHECK(host.finish() == nothing);
}

namespace {

struct cost {
  std::ptrdiff_t files = 0;
  std::int64_t rss_kib = 0;
};

cost cost_of(int pid) {
  const auto at = "/proc/" + std::to_string(pid);
  cost out;
  out.files = std::distance(std::filesystem::directory_iterator{at + "/fd"},
                            {});
  std::ifstream status{at + "/status"};
  for (std::string word; status >> word;)
    if (word == "VmRSS:")
      status >> out.rss_kib;
  return out;
}

/// So many sessions, one after the other, over one connection.
void run_sessions(const test::supervisor& host, int count) {
  test::http_client client{host.socket()};
  for (auto i = 0; i < count; ++i) {
    const auto done = client.ask("POST", "/v1/containers/web/exec-sync",
                                 R"({"args":["true"]})");
    REQUIRE(done.body.find("\"exit_code\":0") != std::string::npos);
  }
}

} // namespace

TEST_CASE_METHOD(fixture, "sessions that are over cost nothing",
                 "[e2e][exec]") {
  const auto info = host.troupe_json({"info", "--format", "json"});
  const auto shim = info.at("shim_pid").get<int>();
  run_sessions(host, 10);
  const auto before = cost_of(shim);
  run_sessions(host, 200);
  CHECK(cost_of(shim).files <= before.files);
  CHECK(host.inspect("web").at("execs").empty());
  CHECK(host.finish() == nothing);
}

/// CAF keeps what it needs to tell that an answered request is late for as long
/// as the request had time, which is a minute: a kilobyte for each session.
TEST_CASE_METHOD(fixture, "ten thousand sessions leave nothing", "[.][heavy]") {
  constexpr auto warm_up = std::chrono::seconds{120};
  const auto info = host.troupe_json({"info", "--format", "json"});
  const auto shim = info.at("shim_pid").get<int>();
  const auto trouped = info.at("pid").get<int>();
  auto warm = 0;
  for (const auto end = std::chrono::steady_clock::now() + warm_up;
       std::chrono::steady_clock::now() < end; warm += 500)
    run_sessions(host, 500);
  const auto shim_before = cost_of(shim);
  const auto trouped_before = cost_of(trouped);
  run_sessions(host, 10'000);
  const auto shim_after = cost_of(shim);
  const auto trouped_after = cost_of(trouped);
  CHECK(shim_after.files <= shim_before.files);
  CHECK(test::eventually([&] { // the last ones' go
    return cost_of(trouped).files <= trouped_before.files + 1;
  }));
  CHECK(shim_after.rss_kib <= shim_before.rss_kib + 256);
  // As much as more sessions in a minute take; 1 KiB each would be 10,000.
  CHECK(trouped_after.rss_kib <= trouped_before.rss_kib + 4096);
  std::cerr << warm << " sessions, then more; RSS: shim " << shim_before.rss_kib
            << ", " << shim_after.rss_kib << " KiB; trouped "
            << trouped_before.rss_kib << ", " << trouped_after.rss_kib
            << " KiB\n";
  CHECK(host.inspect("web").at("execs").empty());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a session that is left has conmon's files",
                 "[e2e][exec]") {
  const auto session = begin_with_trap("trap 'exit 7' TERM");
  const auto now = nlohmann::json::parse(ask("inspect", session).out);
  const auto file = [&](const char* key) {
    return now.at(key).get<std::string>();
  };
  CHECK(std::filesystem::is_socket(file("attach_socket")));
  std::ifstream pid{file("pid_file")};
  auto number = 0;
  pid >> number;
  CHECK(number == now.at("pid"));
  CHECK(ask("stop", session).exit_code == 0);
  std::ifstream exit{file("exit_file")};
  exit >> number;
  CHECK(number == 7);
  CHECK(ask("rm", session).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(file("exit_file")));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "mistakes are told", "[e2e][exec][bad]") {
  const auto refused = [&](std::vector<std::string> options,
                           const std::string& why) {
    options.insert(options.begin(), "exec");
    options.insert(options.end(), {"web", "true"});
    const auto said = host.troupe(options);
    INFO(said.err);
    CHECK(said.exit_code == 125);
    CHECK_THAT(said.err, Contains(why));
  };
  refused({"-u", "nobody"}, "/user: ");
  refused({"-u", "4294967296"}, "/user: ");
  refused({"-u", "0:4294967296"}, "/user: ");
  refused({"--timeout", "soon"}, "soon");
  refused({"--detach-keys", "ctrl-ä"}, "ctrl-");
  CHECK(host.troupe({"exec", "web", "/no/such"}).exit_code == 127);
  CHECK(host.troupe({"exec", "web", "/etc"}).exit_code == 126);
  CHECK(host.troupe({"attach", "--replay", "much", "web"}).exit_code == 125);

  const auto resized = [&](const std::string& size) {
    return host.curl("/v1/containers/web/resize?" + size, {"-X", "POST"}).out;
  };
  CHECK_THAT(resized("rows=0&cols=0"), Contains("from 1 to 65535"));
  CHECK_THAT(resized("rows=24&cols=65536"), Contains("65535"));
  const auto asked = [&](const std::string& body) {
    return host.curl("/v1/containers/web/exec", {"-d", body}).out;
  };
  CHECK_THAT(asked(R"({"args":["true"],"timeout":-1})"),
             Contains("/timeout: "));
  CHECK_THAT(asked(R"({"args":["true"],"capture":1e12})"),
             Contains("/capture: "));
  CHECK_THAT(asked(R"({"args":["true"],"preserve_fds":61})"),
             Contains("/preserve_fds: "));
  CHECK(host.troupe({"exec", "ls", "-q", "web"}).out.empty());
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "who attaches to what is just ending hears it all",
                 "[e2e][attach]") {
  auto heard = 0;
  for (auto i = 0; i < 30; ++i) {
    const auto name = "short-" + std::to_string(i);
    REQUIRE(host
              .troupe({"run", "-d", "--name", name, "--rootfs", root.path(),
                       "--", "/bin/sh", "-c", "echo out; exit 3"})
              .exit_code
            == 0);
    const auto said = host.troupe({"attach", "--replay", "64k", name});
    INFO(said.err);
    if (said.exit_code == 125) {
      CHECK_THAT(said.err, Contains("stopped"));
      continue;
    }
    CHECK(said.exit_code == 3);
    CHECK((said.out == "out\n" || said.out.empty()));
    heard += said.out == "out\n" ? 1 : 0;
  }
  std::cerr << "attached in time: " << heard << " of 30\n";
  CHECK(host.finish() == nothing);
}

} // namespace troupe::exec_sessions_test
