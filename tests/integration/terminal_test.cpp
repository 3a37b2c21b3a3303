// Terminals of containers and sessions, from one at which somebody sits.

#include "tests/support/rootfs.hpp"
#include "tests/support/scratch_cgroup.hpp"
#include "tests/support/supervisor.hpp"
#include "tests/support/typist.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace troupe::terminal_test {

using Catch::Contains;
using cgroup_test::eventually;
using test::typist;

namespace {

const auto nothing = std::vector<std::string>{};

constexpr auto ctrl_c = "\x03";
constexpr auto detach = "\x10\x11";

struct fixture {
  fixture() {
    host.start();
  }

  std::vector<std::string> words(std::vector<std::string> of) {
    of.insert(of.begin(), {std::string{TROUPE_BIN_DIR} + "/troupe", "--socket",
                           host.socket()});
    return of;
  }

  std::vector<std::string> run(const std::string& script,
                               std::vector<std::string> options = {}) {
    std::vector<std::string> out{"run", "-it", "--name", "web"};
    out.insert(out.end(), options.begin(), options.end());
    out.insert(out.end(),
               {"--rootfs", root.path(), "--", "/bin/sh", "-c", script});
    return words(out);
  }

  std::string status() {
    return host.inspect("web").at("status");
  }

  void finish() {
    CHECK(host.finish() == nothing);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "a terminal has its size before the first byte",
                 "[e2e][terminal]") {
  typist who{run("stty size; tty; read x; echo got:$x; exit 3"), 33, 77};
  INFO(who.screen());
  CHECK(who.sees("33 77\r\n"));
  CHECK(who.sees("/dev/"));
  CHECK_FALSE(who.is_cooked()); // the container's terminal echoes, ours not
  who.type("hello\r");
  CHECK(who.sees("hello\r\n"));
  CHECK(who.sees("got:hello\r\n"));
  CHECK(who.wait() == 3);
  CHECK(who.is_cooked());
  CHECK(host.inspect("web").at("terminal") == true);
  CHECK_THAT(host.troupe({"logs", "web"}).out, Contains("got:hello"));
  finish();
}

TEST_CASE_METHOD(fixture, "a window's new size and ^C reach the container",
                 "[e2e][terminal]") {
  typist who{run("trap 'stty size' WINCH; trap 'echo caught; exit 4' INT; "
                 "echo ready; while :; do sleep 0.1; done"),
             24, 80};
  REQUIRE(who.sees("ready"));
  who.resize(50, 132);
  CHECK(who.sees("50 132"));
  who.type(ctrl_c);
  CHECK(who.sees("caught"));
  CHECK(who.wait() == 4);
  CHECK(who.is_cooked());
  finish();
}

TEST_CASE_METHOD(fixture, "detach leaves the container, attach comes back",
                 "[e2e][terminal]") {
  const auto script = "while read x; do echo got:$x; stty size; "
                      "[ $x != end ] || exit 5; done";
  typist first{run(script), 24, 80};
  first.type("one\r");
  REQUIRE(first.sees("got:one"));
  first.type(detach);
  CHECK(first.wait() == 0);
  CHECK(first.is_cooked());
  CHECK(status() == "running");
  typist second{words({"attach", "web"}), 40, 100};
  second.type("two\r");
  CHECK(second.sees("got:two"));
  CHECK(second.sees("40 100"));
  typist looker{words({"attach", "--no-stdin", "web"}), 40, 100};
  REQUIRE(eventually([&] {
    second.type("again\r");
    // Once it is attached; nothing else tells when that is.
    return second.sees("got:again")
           && looker.sees("got:again", std::chrono::milliseconds{200});
  }));
  second.type("end\r");
  CHECK(second.wait() == 5);
  CHECK(looker.wait() == 5);
  finish();
}

TEST_CASE_METHOD(fixture, "detach keys of one's own, and Ctrl-P as it is",
                 "[e2e][terminal]") {
  typist who{run("stty raw -echo; echo ready; head -c 3 | od -c; sleep 1000",
                 {"--detach-keys", "ctrl-x,x"}),
             24, 80};
  REQUIRE(who.sees("ready"));
  who.type("\x10\x11\x10");
  CHECK(who.sees("020 021 020"));
  who.type("\x18x");
  CHECK(who.wait() == 0);
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  finish();
}

TEST_CASE_METHOD(fixture, "a client that is ended restores its terminal",
                 "[e2e][terminal]") {
  typist who{run("echo ready; sleep 1000"), 24, 80};
  REQUIRE(who.sees("ready"));
  REQUIRE_FALSE(who.is_cooked());
  who.signal(SIGTERM);
  CHECK(who.wait() == 143);
  CHECK(who.is_cooked());
  CHECK(status() == "running");
  typist other{words({"attach", "web"}), 24, 80};
  REQUIRE(eventually([&] { return !other.is_cooked(); }));
  CHECK(host.troupe({"kill", "web"}).exit_code == 0);
  CHECK(other.wait() == 137);
  CHECK(other.is_cooked());
  finish();
}

TEST_CASE_METHOD(fixture, "a session has a terminal of its own",
                 "[e2e][terminal]") {
  REQUIRE(host
            .troupe({"run", "-d", "--name", "web", "--rootfs", root.path(),
                     "--", "/bin/sleep", "1000"})
            .exit_code
          == 0);
  typist who{words({"exec", "-it", "web", "sh", "-c",
                    "stty size; read x; echo got:$x; exit 6"}),
             20, 60};
  CHECK(who.sees("20 60"));
  who.type("hello\r");
  CHECK(who.sees("got:hello"));
  CHECK(who.wait() == 6);
  CHECK(who.is_cooked());
  CHECK(host.inspect("web").at("execs").empty());
  finish();
}

TEST_CASE_METHOD(fixture, "a terminal outlives its supervisor",
                 "[e2e][terminal][survive]") {
  typist who{run("while read x; do echo got:$x; done"), 24, 80};
  who.type("one\r");
  REQUIRE(who.sees("got:one"));
  host.kill_supervisor();
  who.type("two\r");
  CHECK(who.sees("got:two")); // the shim has it all
  host.start();
  CHECK(host.inspect("web").at("terminal") == true);
  typist other{words({"attach", "web"}), 30, 90};
  other.type("three\r");
  CHECK(other.sees("got:three"));
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  finish();
}

TEST_CASE_METHOD(fixture, "a raw stream is what the terminal says",
                 "[e2e][terminal]") {
  REQUIRE(host
            .troupe({"create", "-t", "-i", "--name", "web", "--rootfs",
                     root.path(), "--", "/bin/sh", "-c", "read x; echo got:$x"})
            .exit_code
          == 0);
  const sys::unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  host.socket().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address),
                    sizeof address)
          == 0);
  const std::string request
    = "POST /v1/containers/web/attach?stdin=1&raw=1 HTTP/1.1\r\nHost: t\r\n"
      "Connection: Upgrade\r\nUpgrade: troupe-stream\r\n\r\n";
  REQUIRE(::write(socket.get(), request.data(), request.size()) > 0);
  std::string said;
  const auto read_until = [&](const std::string& text) {
    std::array<char, 512> piece;
    while (said.find(text) == said.npos) {
      const auto got = ::read(socket.get(), piece.data(), piece.size());
      if (got <= 0)
        return false;
      said.append(piece.data(), static_cast<std::size_t>(got));
    }
    return true;
  };
  REQUIRE(read_until("101 "));
  REQUIRE(host.troupe({"start", "web"}).exit_code == 0);
  REQUIRE(::write(socket.get(), "hello\r", 6) == 6);
  CHECK(read_until("\r\n\r\nhello\r\ngot:hello\r\n"));
  CHECK_FALSE(read_until("nothing more"));
  INFO(said);
  CHECK_THAT(said, Catch::EndsWith("got:hello\r\n"));
  finish();
}

TEST_CASE_METHOD(fixture, "what a terminal cannot be is refused",
                 "[e2e][terminal][bad]") {
  const auto no_terminal = host.troupe(
    {"run", "-it", "--rootfs", root.path(), "--", "/bin/true"});
  CHECK(no_terminal.exit_code == 125);
  CHECK_THAT(no_terminal.err, Contains("stdin is no terminal"));
  const auto keys = host.troupe({"run", "-t", "--detach-keys", "ctrl-1",
                                 "--rootfs", root.path(), "--", "/bin/true"});
  CHECK(keys.exit_code == 125);
  CHECK_THAT(keys.err, Contains("ctrl-p,ctrl-q"));
  REQUIRE(host
            .troupe({"run", "-dt", "--name", "web", "--rootfs", root.path(),
                     "--", "/bin/sleep", "1000"})
            .exit_code
          == 0);
  REQUIRE(host
            .troupe({"run", "-d", "--name", "plain", "--rootfs", root.path(),
                     "--", "/bin/sleep", "1000"})
            .exit_code
          == 0);
  const auto resize = [&](const std::string& of, const std::string& size) {
    return host.curl("/v1/containers/" + of + "/resize?" + size, {"-X", "POST"})
      .out;
  };
  CHECK(resize("web", "rows=10&cols=20") == "{}");
  for (const auto* size : {"rows=0&cols=0", "rows=1", "cols=1", ""})
    CHECK_THAT(resize("web", size), Contains("1 to 65535"));
  CHECK_THAT(resize("web", "rows=1&cols=65536"), Contains("0 to 65535"));
  CHECK_THAT(resize("web", "rows=-1&cols=1"), Contains("0 to 65535"));
  CHECK_THAT(resize("plain", "rows=10&cols=20"), Contains("no terminal"));
  CHECK(host.troupe({"rm", "-f", "web", "plain"}).exit_code == 0);
  finish();
}

TEST_CASE_METHOD(fixture, "what a person sees of it in tmux",
                 "[e2e][terminal]") {
  const auto server = "troupe-test-" + std::to_string(::getpid());
  const auto tmux = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), {"tmux", "-L", server, "-f", "/dev/null"});
    return test::run(argv, {.env = {"TERM=xterm"}});
  };
  const auto seen = [&](const std::string& wanted) {
    return eventually([&] {
      return tmux({"capture-pane", "-p"}).out.find(wanted) != std::string::npos;
    });
  };
  const auto type = [&](const std::vector<std::string>& keys) {
    auto argv = keys;
    argv.insert(argv.begin(), "send-keys");
    CHECK(tmux(argv).exit_code == 0);
  };
  const auto troupe = std::string{TROUPE_BIN_DIR} + "/troupe --socket "
                      + host.socket();
  const auto script = "echo size $(stty size); while read line; do case $line "
                      "in size) echo size $(stty size);; bye) exit 5;; *) echo "
                      "got $line;; esac; done";
  REQUIRE(tmux({"start-server", ";", "set", "-g", "status", "off", ";",
                "new-session", "-d", "-x", "90", "-y", "20", "/bin/sh"})
            .exit_code
          == 0);
  type({"PS1='> '; " + troupe + " run -it --name web --rootfs " + root.path()
          + " -- /bin/sh -c '" + script + "'; echo ended $?",
        "Enter"});
  CHECK(seen("size 20 90\n"));
  type({"hello", "Enter"});
  CHECK(seen("hello\ngot hello\n"));
  tmux({"resize-window", "-x", "70", "-y", "15"});
  type({"size", "Enter"});
  CHECK(seen("size\nsize 15 70\n"));
  type({"C-p", "C-q"});
  CHECK(seen("ended 0\n>"));
  CHECK(status() == "running");
  type({"clear; " + troupe + " attach web; echo ended $?", "Enter"});
  type({"again", "Enter"});
  CHECK(seen("got again\n"));
  type({"bye", "Enter"});
  CHECK(seen("ended 5\n>"));
  CHECK(tmux({"kill-server"}).exit_code == 0);
  finish();
}

} // namespace troupe::terminal_test
