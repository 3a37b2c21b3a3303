// trouped as a service manager's service: sd_notify(3), sd_listen_fds(3),
// reload; and the unit files, where systemd is the init (tests/vm/run
// --systemd).

#include "runtime/linux/file.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/scratch_cgroup.hpp"
#include "tests/support/skipped.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace troupe::service_test {

using Catch::Contains;
using nlohmann::json;

namespace {

sys::unique_fd bound(const std::string& path, int type) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof at.sun_path);
  std::memcpy(at.sun_path, path.c_str(), path.size());
  sys::unique_fd out{::socket(AF_UNIX, type, 0)};
  REQUIRE(::bind(out.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  return out;
}

/// What a service manager hears.
class notices {
public:
  explicit notices(const std::string& path)
    : socket_(bound(path, SOCK_DGRAM | SOCK_CLOEXEC)),
      variable_("NOTIFY_SOCKET=" + path) {
  }

  [[nodiscard]] const std::string& variable() const {
    return variable_;
  }

  /// The next one; "": none came.
  [[nodiscard]] std::string next() const {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, test::patient_ms(20'000)) != 1)
      return {};
    std::string out(4096, '\0');
    const auto size = ::recv(socket_.get(), out.data(), out.size(), 0);
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return out;
  }

private:
  sys::unique_fd socket_;
  std::string variable_;
};

void write_settings(const std::string& path, const std::string& text) {
  std::ofstream{path} << text;
}

} // namespace

TEST_CASE("the service manager hears when trouped serves, lives and stops",
          "[e2e][service]") {
  test::supervisor host;
  const notices heard{host.directory() + "/notify"};
  host.start({}, {.env = {heard.variable(), "WATCHDOG_USEC=2000000"}});
  CHECK_THAT(heard.next(),
             Contains("READY=1\nSTATUS=serving at " + host.socket()));
  CHECK(heard.next() == "WATCHDOG=1");
  CHECK(heard.next() == "WATCHDOG=1");
  CHECK(host.finish().empty());
  auto last = heard.next();
  while (last == "WATCHDOG=1")
    last = heard.next();
  CHECK(last == "STOPPING=1");
}

TEST_CASE("settings are read again at SIGHUP, or stay as they were",
          "[e2e][service][bad]") {
  const test::busybox_rootfs root;
  test::supervisor host;
  const notices heard{host.directory() + "/notify"};
  const auto path = host.directory() + "/settings.json";
  write_settings(path, R"({"log_driver": "json-file"})");
  host.start({"--config", path}, {.env = {heard.variable()}});
  CHECK_THAT(heard.next(), Contains("READY=1"));

  const auto reload = [&](const std::string& text) {
    write_settings(path, text);
    host.signal_supervisor(SIGHUP);
    CHECK_THAT(heard.next(), Contains("RELOADING=1\nMONOTONIC_USEC="));
    return heard.next();
  };
  auto count = 0;
  const auto driver_of_next = [&] {
    const auto name = "web" + std::to_string(++count);
    const auto said = host.troupe({"run", "-d", "--name", name, "--rootfs",
                                   root.path(), "--", "/bin/true"});
    INFO(said.err);
    REQUIRE(said.exit_code == 0);
    return host.inspect(name).at("log_driver").get<std::string>();
  };
  CHECK(driver_of_next() == "json-file");
  CHECK_THAT(reload(R"({"log_driver": "none", "log_level": "debug"})"),
             Contains("READY=1\nSTATUS=serving"));
  CHECK(driver_of_next() == "none");
  CHECK_THAT(reload(R"({"log_driver": "k8s-file", "stop_timeout_ms": -1})"),
             Contains("stay as they were: " + path
                      + ": /stop_timeout_ms: "
                        "expected an integer from 0"));
  CHECK(driver_of_next() == "none");
  CHECK_THAT(reload(R"({"log_driver": "k8s-file", "threads": 7})"),
             Contains("/threads: from 2 to 7 takes a restart"));
  CHECK(driver_of_next() == "none");
  CHECK_THAT(reload("{"), Contains("stay as they were"));
  CHECK(host.troupe({"ps"}).exit_code == 0);
  CHECK(host.finish().empty());
}

TEST_CASE("trouped serves the socket that it is passed", "[e2e][service]") {
  test::supervisor host;
  std::filesystem::create_directory(host.directory() + "/run");
  std::filesystem::permissions(host.directory() + "/run",
                               std::filesystem::perms::owner_all);
  const auto passed = bound(host.socket(), SOCK_STREAM);
  REQUIRE(::listen(passed.get(), 16) == 0);
  const auto early = host.troupe_background({"version", "--format", "json"});
  const auto at_three = "exec \"$@\" 3<&" + std::to_string(passed.get());
  const test::surroundings with{
    .through = {"bash", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 " + at_three, "x"}};
  host.start({}, with);
  CHECK(early->wait() == 0);
  CHECK_THAT(early->output(), Contains("\"server\":\"" TROUPE_VERSION "\""));
  CHECK(host.terminate_supervisor() == 0);
  CHECK(std::filesystem::exists(host.socket()));
  host.start({}, with);
  CHECK(host.finish().empty());
}

TEST_CASE("trouped refuses what is no socket to serve", "[service][bad]") {
  const test::supervisor host;
  const auto other = bound(host.directory() + "/other", SOCK_DGRAM);
  const auto said = test::run(
    {"bash", "-c",
     "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&" + std::to_string(other.get()),
     "x", TROUPE_BIN_DIR "/trouped", "--root", host.directory() + "/run",
     "--state", host.directory() + "/state"});
  CHECK(said.exit_code == 1);
  CHECK_THAT(said.err,
             Contains("LISTEN_FDS: expected one listening SOCK_STREAM unix "
                      "socket, found something else"));
}

namespace {

/// The unit files as they are installed, but for names and directories.
class installed_units {
public:
  installed_units() {
    write("service", "trouped.service.in",
          {{"@CMAKE_INSTALL_FULL_BINDIR@", TROUPE_BIN_DIR},
           {"--systemd-cgroup", "--systemd-cgroup --root /run/" + name
                                  + " --state /var/lib/" + name},
           {"RuntimeDirectory=troupe", "RuntimeDirectory=" + name},
           {"StateDirectory=troupe", "StateDirectory=" + name}});
    write("socket", "trouped.socket", {{"/run/troupe/", "/run/" + name + "/"}});
    REQUIRE(systemctl({"daemon-reload"}).exit_code == 0);
  }
  installed_units(const installed_units&) = delete;
  installed_units& operator=(const installed_units&) = delete;

  ~installed_units() {
    static_cast<void>(systemctl({"stop", name + ".socket", name + ".service"}));
    for (const auto* kind : {"service", "socket"})
      std::filesystem::remove(path_of(kind));
    static_cast<void>(systemctl({"daemon-reload"}));
    for (const auto* parent : {"/run/", "/var/lib/"})
      std::filesystem::remove_all(parent + name);
  }

  [[nodiscard]] static test::command_result
  systemctl(std::vector<std::string> words) {
    words.insert(words.begin(), "systemctl");
    return test::run(words);
  }

  [[nodiscard]] test::command_result
  troupe(std::vector<std::string> words) const {
    words.insert(words.begin(), {TROUPE_BIN_DIR "/troupe", "--socket",
                                 "/run/" + name + "/trouped.sock"});
    return test::run(words);
  }

  /// Of the service, as systemctl(1) shows it.
  [[nodiscard]] std::string property(const std::string& of) const {
    const auto said = systemctl({"show", "-P", of, name + ".service"});
    return said.out.substr(0, said.out.find('\n'));
  }

  const std::string name = "troupetest-" + std::to_string(::getpid());

private:
  using replacements = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] std::string path_of(const std::string& kind) const {
    return "/run/systemd/system/" + name + "." + kind;
  }

  void write(const std::string& kind, const std::string& from,
             const replacements& changes) const {
    auto text = sys::read_file(AT_FDCWD,
                               TROUPE_SOURCE_DIR "/config/systemd/" + from)
                  .value();
    for (const auto& [old, fresh] : changes)
      text.replace(text.find(old), old.size(), fresh);
    // The guest of tests/vm has nothing that a whole boot would have.
    text.replace(text.find("[Unit]\n"), 7, "[Unit]\nDefaultDependencies=no\n");
    std::ofstream{path_of(kind)} << text;
  }
};

} // namespace

TEST_CASE("systemd starts, restarts and reloads trouped",
          "[systemd][e2e][service]") {
  if (!std::filesystem::exists("/run/systemd/system"))
    return test::skipped("systemd is not the init here");
  const test::busybox_rootfs root;
  const installed_units units;
  REQUIRE(units.systemctl({"start", units.name + ".socket"}).exit_code == 0);
  CHECK(units.property("ActiveState") == "inactive");
  // Who connects starts it.
  const auto ran = units.troupe({"run", "-d", "--name", "web", "--rootfs",
                                 root.path(), "--", "/bin/sleep", "1000"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(units.property("ActiveState") == "active");
  CHECK_THAT(units.property("StatusText"), Contains("serving at /run/"));
  const auto state_of_web = [&] {
    const auto said = units.troupe({"inspect", "--format", "json", "web"});
    const auto all = json::parse(said.out, nullptr, false);
    return all.is_object()
             ? all.at("status").get<std::string>() + " " + all.at("pid").dump()
             : said.err;
  };
  const auto before = state_of_web();
  CHECK_THAT(before, Contains("running"));

  const auto first = units.property("MainPID");
  REQUIRE(::kill(std::stoi(first), SIGKILL) == 0);
  CHECK(cgroup_test::eventually([&] {
    return units.property("MainPID") != first
           && units.property("ActiveState") == "active";
  }));
  CHECK(state_of_web() == before);
  CHECK(units.systemctl({"reload", units.name + ".service"}).exit_code == 0);
  CHECK(units.property("ActiveState") == "active");

  CHECK(units.systemctl({"stop", units.name + ".service"}).exit_code == 0);
  CHECK(state_of_web() == before); // The socket starts it once more.
  CHECK(units.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(units.troupe({"shutdown", "--stop-containers"}).exit_code == 0);
  CHECK(cgroup_test::eventually(
    [&] { return units.property("ActiveState") == "inactive"; }));
  CHECK(units.property("Result") == "success");
}

} // namespace troupe::service_test
