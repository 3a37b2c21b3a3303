// What containers, and others, can do to cgroups: whose limit an OOM was about,
// forks under the freezer, a thousand cgroups inside, a cgroup that is gone.

#include "bench/harness/stuck_mount.hpp"
#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/probe/host.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/scratch_cgroup.hpp"
#include "tests/support/skipped.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::resources_test {

using Catch::Contains;
using cgroup_test::eventually;
using cgroup_test::exists;
using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

/// Eats memory once it is told to, by a file in its root.
constexpr auto eater
  = "until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; sleep 1000";

struct fixture {
  fixture() {
    host.start();
  }

  void run(const std::string& script, std::vector<std::string> options = {}) {
    std::vector<std::string> words{"run", "-d", "--name", "web"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(),
                 {"--rootfs", root.path(), "--", "/bin/sh", "-c", script});
    const auto said = host.troupe(words);
    INFO(said.err);
    REQUIRE(said.exit_code == 0);
  }

  plan::cgroup cgroup() {
    return store::directory{host.directory() + "/run"}
      .read_plan("web")
      .value()
      .cgroup;
  }

  cgroup::account memory() {
    return cgroup::account_of(cgroup(), "memory");
  }

  void go() {
    std::ofstream{root.path() + "/go"} << "go";
  }

  std::vector<json> events(const std::string& type) {
    std::vector<json> out;
    std::istringstream lines{host.curl("/v1/events?type=" + type).out};
    for (std::string line; std::getline(lines, line);)
      out.push_back(json::parse(line));
    return out;
  }

  json first_oom() {
    REQUIRE(eventually([&] { return !events("oom").empty(); }));
    return events("oom").front();
  }

  void remove() {
    const auto said = host.troupe({"rm", "-f", "web"});
    INFO(said.err);
    CHECK(said.exit_code == 0);
    CHECK(host.finish() == nothing);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

void write(const std::string& path, const std::string& text) {
  const auto done = sys::write_file(AT_FDCWD, path, text);
  INFO(path << ": " << (done ? "" : done.error().what));
  REQUIRE(done);
}

/// Memory and no swap, where the host has any.
void limit_memory(const cgroup::account& at, const std::string& limit) {
  write(at.directory + (at.v2 ? "/memory.max" : "/memory.limit_in_bytes"),
        limit);
  if (at.v2 && exists(at.directory + "/memory.swap.max"))
    write(at.directory + "/memory.swap.max", "0");
}

/// Every process; those that are forked meanwhile, too.
void move_all(const std::string& from, const std::string& to) {
  const auto procs = from + "/cgroup.procs";
  REQUIRE(eventually([&] {
    std::istringstream pids{sys::read_file(AT_FDCWD, procs).value()};
    for (std::string pid; std::getline(pids, pid);)
      static_cast<void>(
        sys::write_file(AT_FDCWD, to + "/cgroup.procs", pid)); // may be gone
    return sys::read_file(AT_FDCWD, procs).value().empty();
  }));
}

} // namespace

TEST_CASE_METHOD(fixture, "an OOM in a cgroup of the container's own making",
                 "[e2e][oom]") {
  run(eater, {"--memory", "512m"});
  const auto at = memory();
  if (!at)
    return test::skipped("this host has no memory controller");
  const auto inner = at.directory + "/inner";
  REQUIRE(::mkdir(inner.c_str(), 0755) == 0);
  move_all(at.directory, inner);
  if (at.v2)
    write(at.directory + "/cgroup.subtree_control", "+memory");
  limit_memory({inner, at.v2}, "8388608");
  go();
  if (!at.v2) { // v1 tells nobody above of it: it is counted at the end
    REQUIRE(eventually([&] {
      return sys::read_file(AT_FDCWD, inner + "/memory.oom_control")
               .value()
               .find("oom_kill 1")
             != std::string::npos;
    }));
    REQUIRE(host.troupe({"kill", "web"}).exit_code == 0);
  }
  const auto oom = first_oom();
  INFO(oom.dump(1));
  CHECK(oom.at("level") == "inside");
  CHECK(oom.at("limit") == 8388608);
  CHECK_THAT(oom.at("cgroup").get<std::string>(),
             Catch::EndsWith("/web/inner"));
  CHECK(host.inspect("web").at("oom_kills") == 1);
  remove();
}

TEST_CASE_METHOD(fixture, "an OOM for a limit above the container",
                 "[e2e][oom]") {
  run(eater);
  const auto at = memory();
  if (!at)
    return test::skipped("this host has no memory controller");
  const auto parent = at.directory.substr(0, at.directory.rfind('/'));
  limit_memory({parent, at.v2}, "16777216");
  go();
  const auto oom = first_oom();
  INFO(oom.dump(1));
  CHECK(oom.at("level") == "parent");
  CHECK(oom.at("limit") == 16777216);
  CHECK_THAT(oom.at("cgroup").get<std::string>(),
             Catch::EndsWith(host.cgroup_parent()));
  remove();
}

TEST_CASE_METHOD(fixture, "memory.oom.group ends the whole container",
                 "[e2e][oom]") {
  run("sleep 1000");
  const auto is_v2 = memory() && memory().v2;
  const auto said = host.troupe(
    {"update", "-r", "-", "web"},
    {.input = R"({"unified":{"memory.oom.group":"1"},)"
              R"("memory":{"limit":16777216}})"});
  if (!is_v2) {
    CHECK(said.exit_code != 0);
    CHECK_THAT(said.err, Contains("/unified/memory.oom.group"));
    test::skipped("memory.oom.group is cgroup v2's");
    return remove();
  }
  INFO(said.err);
  REQUIRE(said.exit_code == 0);
  REQUIRE(host.troupe({"exec", "web", "sh", "-c", "tail /dev/zero"}).exit_code
          == 137);
  const auto ended = json::parse(host.curl("/v1/containers/web/wait").out);
  INFO(ended.dump(1));
  CHECK(ended.at("exit_code") == 137);
  CHECK(ended.at("oom_killed") == true);
  CHECK(ended.at("oom_kills") == 3); // sleep, sh and tail
  CHECK(events("oom").size() == 3);
  remove();
}

TEST_CASE_METHOD(fixture, "a container that forks without end is frozen whole",
                 "[e2e][pause]") {
  run("while :; do (sleep 0.01 &); done", {"--pids-limit", "2000"});
  const auto processes = [&] {
    return json::parse(host.curl("/v1/containers/web/top").out).dump();
  };
  for (auto round = 0; round < 5; ++round) {
    const auto paused = host.troupe({"pause", "web"});
    INFO(paused.err);
    REQUIRE(paused.exit_code == 0);
    const auto frozen = processes();
    CHECK(processes() == frozen);
    REQUIRE(host.troupe({"unpause", "web"}).exit_code == 0);
  }
  REQUIRE(host.troupe({"pause", "web"}).exit_code == 0);
  REQUIRE(host.troupe({"kill", "web"}).exit_code == 0);
  CHECK(json::parse(host.curl("/v1/containers/web/wait").out).at("exit_code")
        == 137);
  remove();
}

TEST_CASE_METHOD(fixture, "a container with a thousand cgroups inside",
                 "[e2e][pause][stats]") {
  constexpr auto count = 1000;
  run("sleep 1000");
  for (const auto& dir : cgroup().dirs)
    for (auto i = 0; i < count; ++i)
      REQUIRE(
        ::mkdir((cgroup::directory_of(dir) + "/c" + std::to_string(i)).c_str(),
                0755)
        == 0);
  CHECK(host.troupe({"pause", "web"}).exit_code == 0);
  CHECK(host.inspect("web").at("status") == "paused");
  CHECK(host.troupe({"stats", "--no-stream", "web"}).exit_code == 0);
  CHECK(host.troupe({"update", "--pids-limit", "99", "web"}).exit_code == 0);
  CHECK(host.troupe({"unpause", "web"}).exit_code == 0);
  remove();
}

TEST_CASE_METHOD(fixture, "a cgroup that somebody else has removed",
                 "[e2e][bad]") {
  run("sleep 1000", {"--memory", "64m"});
  const auto pid = std::to_string(host.inspect("web").at("pid").get<int>());
  const auto in = cgroup();
  for (const auto& dir : in.dirs) {
    write(dir.mount + "/cgroup.procs", pid);
    INFO(cgroup::directory_of(dir));
    REQUIRE(::rmdir(cgroup::directory_of(dir).c_str()) == 0);
  }
  const auto refused = [&](const std::vector<std::string>& words) {
    const auto said = host.troupe(words);
    INFO(words.front() << ": " << said.err);
    CHECK(said.exit_code != 0);
    CHECK_THAT(said.err, Contains("web") && Contains("No such file"));
  };
  refused({"pause", "web"});
  refused({"update", "--pids-limit", "9", "web"});
  refused({"exec", "web", "true"});
  CHECK(host.inspect("web").at("status") == "running");
  CHECK(host.troupe({"ps"}).exit_code == 0);
  REQUIRE(host.troupe({"kill", "web"}).exit_code == 0);
  CHECK(json::parse(host.curl("/v1/containers/web/wait").out).at("exit_code")
        == 137);
  remove();
}

TEST_CASE_METHOD(fixture, "pressure is an event", "[e2e][pressure]") {
  const auto bad = host.troupe({"run", "-d", "--notify-pressure",
                                "cpu=some:1ms", "--rootfs", root.path(), "--",
                                "/bin/true"});
  CHECK(bad.exit_code == 125);
  CHECK_THAT(bad.err, Contains("/options/notify_pressure/0: expected"));
  if (!sys::probe_host("/x").pressure) {
    const auto refused = host.troupe({"run", "-d", "--notify-pressure",
                                      "cpu=some:1ms/2s", "--rootfs",
                                      root.path(), "--", "/bin/true"});
    CHECK(refused.exit_code == 125);
    CHECK_THAT(refused.err, Contains("does not tell the pressure"));
    return test::skipped("this kernel has no PSI");
  }
  // More that want to run than may.
  run("for i in 1 2 3 4; do while :; do :; done & done; wait",
      {"--cpus", "0.2", "--notify-pressure", "cpu=some:10ms/2s",
       "--notify-pressure", "memory=full:2s/2s"});
  REQUIRE(eventually([&] { return events("pressure").size() >= 2; }));
  for (const auto& each : events("pressure")) {
    INFO(each.dump(1));
    CHECK(each.at("container") == "web");
    CHECK(each.at("file") == "cpu.pressure");
    CHECK(each.at("trigger") == "some 10000 2000000");
  }
  host.kill_supervisor();
  host.start();
  const auto before = events("pressure").size();
  CHECK(eventually([&] { return events("pressure").size() > before; }));
  remove();
}

TEST_CASE_METHOD(fixture, "an update of device rules takes effect at once",
                 "[e2e][update][rule-13]") {
  run("sleep 1000");
  const auto opens = [&] {
    return host
             .troupe({"exec", "web", "sh", "-c",
                      "[ -e /f ] || mknod /f c 10 229; : </f"}) // /dev/fuse
             .exit_code
           == 0;
  };
  CHECK_FALSE(opens());
  const auto update = [&](const std::string& rules) {
    const auto said = host.troupe({"update", "-r", "-", "web"},
                                  {.input = R"({"devices":)" + rules + "}"});
    INFO(said.err);
    CHECK(said.exit_code == 0);
  };
  update(R"([{"allow":false,"access":"rwm"},)"
         R"({"allow":true,"type":"c","major":10,"minor":229,"access":"rwm"}])");
  CHECK(opens());
  update(R"([{"allow":false,"access":"rwm"}])");
  CHECK_FALSE(opens());
  remove();
}

TEST_CASE("a freeze that cannot end is given up, and disturbs nobody",
          "[e2e][pause]") {
  test::busybox_rootfs root;
  std::filesystem::create_directory(root.path() + "/stuck");
  test::supervisor host;
  const auto config = host.directory() + "/config.json";
  std::ofstream{config} << json{{"freeze_timeout_ms", test::patient_ms(1000)}};
  host.start({"--config", config});
  for (const auto* name : {"web", "other"})
    REQUIRE(host
              .troupe({"run", "-d", "--name", name, "--rootfs", root.path(),
                       "--", "/bin/sleep", "1000"})
              .exit_code
            == 0);
  const auto mount = bench::stuck_mount::make(
    host.inspect("web").at("pid").get<int>(), "/stuck");
  INFO((mount ? "" : mount.error().what));
  REQUIRE(mount);
  const auto looker = host.troupe_background({"exec", "web", "ls", "/stuck"});
  REQUIRE(mount->await_visitor(test::patient(std::chrono::seconds{10})));
  const auto pause = host.troupe_background({"pause", "web"});
  REQUIRE(
    eventually([&] { return host.inspect("web").at("status") == "pausing"; }));
  CHECK(host.inspect("web").at("waiting_for") == "freeze");
  CHECK(host.troupe({"pause", "other"}).exit_code == 0);
  CHECK(host.troupe({"unpause", "other"}).exit_code == 0);
  CHECK(pause->wait() != 0);
  CHECK_THAT(pause->output(), Contains("web: not frozen"));
  CHECK(host.inspect("web").at("status") == "running");
  CHECK(host.troupe({"exec", "web", "true"}).exit_code == 0);
  for (const auto* name : {"web", "other"})
    CHECK(host.troupe({"rm", "-f", name}).exit_code == 0);
  CHECK(looker->wait() == 137);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::resources_test
