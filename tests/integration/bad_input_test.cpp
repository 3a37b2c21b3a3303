// Bad input on the real thing: a clear error, a defined state, nothing left.

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <poll.h>
#include <string>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::bad_input_test {

using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

struct fixture {
  fixture() {
    host.start();
  }

  /// Writes the bundle's config.json: a good one, after `damage`.
  void write_config(const std::function<void(json&)>& damage) const {
    auto spec = default_spec(root.path());
    spec.process->args = {"/bin/true"};
    auto document = oci::to_json(spec);
    damage(document);
    std::ofstream{root.bundle() + "/config.json"} << document.dump();
  }

  /// Runs the bundle, which must be refused with `words` in the error, and
  /// leave no container.
  void refused(const std::vector<std::string>& words, int code = 125) {
    const auto did = host.troupe({"run", "--name", "bad", root.bundle()});
    INFO(did.out << did.err);
    CHECK(did.exit_code == code);
    for (const auto& word : words) {
      INFO(word);
      CHECK(did.err.find(word) != std::string::npos);
    }
    CHECK(host.troupe_json({"ps", "-a", "--format", "json"}).empty());
  }

  test::command_result run_script(const std::vector<std::string>& options,
                                  const std::string& script) const {
    std::vector<std::string> argv{"run"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(),
                {"--rootfs", root.path(), "--", "/bin/sh", "-c", script});
    return host.troupe(argv);
  }

  [[nodiscard]] sys::unique_fd connect() const {
    sys::unique_fd out{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    host.socket().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::connect(out.get(), reinterpret_cast<sockaddr*>(&address),
                      sizeof address)
            == 0);
    return out;
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "a config that is wrong is refused with its pointer",
                 "[bad][config]") {
  SECTION("not JSON at all") {
    std::ofstream{root.bundle() + "/config.json"} << "{\"ociVersion\": ";
    refused({"config.json", "line 1"});
  }
  SECTION("no config.json") {
    refused({"config.json", "ENOENT"});
  }
  SECTION("each required property missing") {
    for (const auto* pointer :
         {"/ociVersion", "/root", "/root/path", "/process/cwd",
          "/mounts/0/destination", "/linux/namespaces/0/type"}) {
      write_config([&](json& x) {
        const json::json_pointer at{pointer};
        x.at(at.parent_pointer()).erase(at.back());
      });
      refused({pointer});
    }
  }
  SECTION("each of the wrong type") {
    for (const auto* pointer :
         {"/ociVersion", "/root", "/root/path", "/process", "/process/args",
          "/process/cwd", "/mounts", "/mounts/0", "/linux", "/linux/namespaces",
          "/linux/resources"}) {
      write_config([&](json& x) { x[json::json_pointer{pointer}] = 7; });
      refused({pointer, "expected"});
    }
  }
  SECTION("a hook without an absolute path") {
    write_config([](json& x) {
      x["hooks"]["prestart"] = {{{"path", "relative"}}};
    });
    refused({"/hooks/prestart/0/path", "relative"});
  }
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a rootfs that is not there is refused",
                 "[bad][rootfs]") {
  write_config([](json& x) { x["root"]["path"] = "/no/such/rootfs"; });
  refused({"/root/path", "/no/such/rootfs"});
  const auto did = host.troupe(
    {"run", "--rootfs", "/no/such", "--", "/bin/true"});
  CHECK(did.exit_code == 125);
  CHECK(did.err.find("/no/such") != std::string::npos);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture,
                 "a command that is not there is 127, one that cannot "
                 "run is 126",
                 "[bad][command]") {
  write_config([](json& x) { x["process"]["args"] = {"no-such-command"}; });
  refused({"no-such-command", "/process/args"}, 127);
  write_config([](json& x) { x["process"]["args"] = {"/etc/passwd"}; });
  refused({"/etc/passwd"}, 126);
  write_config([](json& x) { x["process"]["args"] = {"/bin"}; });
  refused({"/bin"}, 126);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an executable of another format is 126 at start",
                 "[bad][command]") {
  root.write("bin/garbage", "\x01\x02\x03 not a program");
  std::filesystem::permissions(root.root() / "bin/garbage",
                               std::filesystem::perms::all);
  const auto did = host.troupe(
    {"run", "--name", "g", "--rootfs", root.path(), "--", "/bin/garbage"});
  INFO(did.err);
  CHECK(did.exit_code == 126);
  CHECK(did.err.find("ENOEXEC") != std::string::npos);
  CHECK(host.inspect("g")["status"] == "stopped");
  CHECK(host.inspect("g")["exit_code"] == 126);
  CHECK(host.troupe({"rm", "g"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture,
                 "mounts cannot be missing, nor lead out of the rootfs",
                 "[bad][mounts]") {
  const auto with_mount = [&](const std::string& source,
                              const std::string& destination) {
    write_config([&](json& x) {
      x["process"]["args"] = {"/bin/sh", "-c", "cat /inside/file"};
      x["mounts"].push_back({{"destination", destination},
                             {"type", "bind"},
                             {"source", source},
                             {"options", {"bind", "ro"}}});
    });
  };
  with_mount("/no/such/source", "/data");
  const auto index = default_spec(root.path()).mounts.size();
  refused({"/mounts/" + std::to_string(index), "/no/such/source", "ENOENT"});

  // A link that would lead to the host's /tmp stays inside the rootfs.
  std::filesystem::create_directory(root.bundle() + "/source");
  std::ofstream{root.bundle() + "/source/file"} << "bound\n";
  const auto outside = root.bundle() + "/outside";
  std::filesystem::create_directory(outside);
  std::filesystem::create_symlink(outside, root.root() / "inside");
  with_mount(root.bundle() + "/source", "/inside");
  const auto did = host.troupe({"run", "--rm", root.bundle()});
  INFO(did.err);
  CHECK(did.exit_code == 0);
  CHECK(did.out == "bound\n");
  CHECK(std::filesystem::is_empty(outside));
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "ids are checked", "[bad][id]") {
  for (const auto& id :
       {std::string{"a/b"}, std::string{".."}, std::string{"-x"},
        std::string{".hidden"}, std::string{"with space"},
        std::string{"n\xC3\xA4me"}, std::string(300, 'a')}) {
    const auto did = host.troupe(
      {"run", "--name=" + id, "--rootfs", root.path(), "--", "/bin/true"});
    INFO(id << ": " << did.err);
    CHECK(did.exit_code == 125);
    CHECK(did.err.find("id") != std::string::npos);
  }
  const auto empty = host.curl(
    "/v1/containers", {"-d", json{{"id", ""},
                                  {"rootfs", root.path()},
                                  {"options", {{"args", {"/bin/true"}}}}}
                               .dump()});
  CHECK(empty.out.find("invalid_config") != std::string::npos);
  CHECK(host.troupe_json({"ps", "-a", "--format", "json"}).empty());

  CHECK(run_script({"-d", "--name", "twice"}, "sleep 1000").exit_code == 0);
  const auto again = run_script({"-d", "--name", "twice"}, "sleep 1000");
  CHECK(again.exit_code == 125);
  CHECK(again.err.find("already exists") != std::string::npos);
  CHECK(host.inspect("twice")["status"] == "running");
  CHECK(host.troupe({"rm", "-f", "twice"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "what the state forbids is refused with both names",
                 "[bad][state]") {
  CHECK(run_script({"-d", "--name", "s"}, "sleep 1000").exit_code == 0);
  const auto start = host.troupe({"start", "s"});
  CHECK(start.exit_code == 125);
  CHECK(start.err.find("start") != std::string::npos);
  CHECK(start.err.find("running") != std::string::npos);
  const auto remove = host.troupe({"rm", "s"});
  CHECK(remove.exit_code == 125);
  CHECK(remove.err.find("running") != std::string::npos);
  CHECK(host.troupe({"kill", "s"}).exit_code == 0);
  CHECK(host.troupe({"wait", "s"}).out == "137\n");
  const auto pause = host.troupe({"pause", "s"});
  CHECK(pause.exit_code == 125);
  CHECK(pause.err.find("stopped") != std::string::npos);
  CHECK(host.troupe({"exec", "s", "true"}).exit_code == 125);
  CHECK(host.troupe({"rm", "s"}).exit_code == 0);
  CHECK(host.troupe({"rm", "s"}).exit_code == 125);
  CHECK(host.troupe({"rm", "-f", "s"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a hook that fails or hangs fails the create",
                 "[bad][hooks]") {
  write_config([](json& x) {
    x["hooks"]["createRuntime"] = {
      {{"path", "/bin/sh"},
       {"args", {"sh", "-c", "echo the reason >&2; exit 3"}}}};
  });
  refused({"/hooks/createRuntime/0", "the reason", "3"});
  write_config([](json& x) {
    x["hooks"]["prestart"] = {{{"path", "/bin/sh"},
                               {"args", {"sh", "-c", "sleep 1000"}},
                               {"timeout", 1}}};
  });
  refused({"/hooks/prestart/0", "time-out of 1 s"});
  write_config([](json& x) {
    x["hooks"]["prestart"] = {{{"path", "/no/such/hook"}}};
  });
  refused({"/hooks/prestart/0", "/no/such/hook", "No such file"});
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "clients that go away half-way cost nothing",
                 "[bad][client]") {
  for (const std::string part :
       {"P", "POST /v1/containers HTTP/1.1\r\nContent-Le",
        "POST /v1/containers HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"
        "{\"id\":",
        "GET /v1/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    const auto socket = connect();
    REQUIRE(::send(socket.get(), part.data(), part.size(), MSG_NOSIGNAL)
            == static_cast<ssize_t>(part.size()));
  }
  // One that leaves in the middle of a launch leaves a whole container.
  write_config([](json& x) {
    x["hooks"]["createRuntime"] = {
      {{"path", "/bin/sh"}, {"args", {"sh", "-c", "sleep 0.5"}}}};
  });
  {
    const auto client = host.troupe_background(
      {"create", "--name", "orphan", root.bundle()});
    while (host.troupe({"ps", "-aq"}).out != "orphan\n") {
    }
    client->signal(SIGKILL);
    CHECK(client->wait() == 128 + SIGKILL);
  }
  const auto events = host.troupe_background(
    {"events", "--follow", "--format", "json"});
  REQUIRE(events->wait_for_output("\"orphan\""));
  CHECK(host.inspect("orphan")["status"] == "created");
  CHECK(host.troupe({"rm", "-f", "orphan"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "10 MB of garbage on the API socket are refused",
                 "[bad][client]") {
  std::string garbage(10U << 20U, '\0');
  auto x = 88172645463325252ULL; // xorshift64: the same garbage every time
  for (auto& byte : garbage) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    byte = static_cast<char>(x);
  }
  const auto socket = connect();
  std::string answer;
  while (!garbage.empty()) {
    pollfd ready{socket.get(), POLLIN | POLLOUT, 0};
    REQUIRE(::poll(&ready, 1, test::patient_ms(60'000)) == 1);
    if ((ready.revents & POLLIN) != 0) {
      std::array<char, 4096> data{};
      const auto size = ::read(socket.get(), data.data(), data.size());
      if (size <= 0)
        break; // It hung up, as it may.
      answer.append(data.data(), static_cast<std::size_t>(size));
    }
    const auto sent = ::send(socket.get(), garbage.data(), garbage.size(),
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
      break;
    garbage.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  CHECK(answer.starts_with("HTTP/1.1 400"));
  const auto body = host.curl(
    "/v1/containers", {"-d", "@" + std::string{TROUPE_BIN_DIR} + "/trouped"});
  CHECK(body.out.find("error") != std::string::npos);
  CHECK(host.troupe({"info"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture,
                 "a full disk drops log lines, visibly, and nothing "
                 "else",
                 "[bad][disk]") {
  CHECK(host.finish() == nothing);
  // ROOT on a file system of 512 KiB, which the log alone overflows.
  test::supervisor small;
  const auto run = small.directory() + "/run";
  std::filesystem::create_directory(run);
  REQUIRE(::mount("small", run.c_str(), "tmpfs", 0, "size=512k,mode=700") == 0);
  small.start();
  const auto did = small.troupe(
    {"run", "--name", "loud", "--rootfs", root.path(), "--", "/bin/sh", "-c",
     "i=0; while [ $i -lt 20000 ]; do echo "
     "0123456789012345678901234567890123456789; i=$((i+1)); done; exit 4"});
  CHECK(did.exit_code == 4);
  CHECK(did.out.size() == 20000 * 41);
  const auto loud = small.inspect("loud");
  CHECK(loud["exit_code"] == 4);
  CHECK(loud["log_dropped"].get<std::int64_t>() > 0);
  CHECK(loud["log_error"] == "ENOSPC");
  CHECK(loud["log_bytes"].get<std::int64_t>()
          + loud["log_dropped"].get<std::int64_t>()
        == 20000 * 41);
  // What is in the log is whole lines.
  const auto logs = small.troupe({"logs", "loud"});
  CHECK(logs.out.size() % 41 == 0);
  CHECK_FALSE(logs.out.empty());
  CHECK(small.troupe({"rm", "-f", "loud"}).exit_code == 0);
  auto left = small.finish();
  CHECK(::umount2(run.c_str(), MNT_DETACH) == 0);
  std::erase_if(left, [](const std::string& x) {
    return x.find(" - tmpfs small ") != std::string::npos;
  });
  CHECK(left == nothing);
}

} // namespace troupe::bad_input_test
