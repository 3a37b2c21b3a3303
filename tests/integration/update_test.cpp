// New limits for living containers, as a user sees it: all, or none.

#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/store/store.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace troupe::update_test {

using Catch::Contains;
using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

/// A file of a controller by its names in v1 and v2.
struct control_file {
  const char* controller;
  const char* v1;
  const char* v2;
};

constexpr control_file pids{"pids", "pids.max", "pids.max"};
constexpr control_file memory{"memory", "memory.limit_in_bytes", "memory.max"};
constexpr control_file shares{"cpu", "cpu.shares", "cpu.weight"};

struct fixture {
  fixture() {
    host.start();
    REQUIRE(host
              .troupe({"run", "-d", "--name", "web", "--memory", "64m",
                       "--rootfs", root.path(), "--", "/bin/sleep", "1000"})
              .exit_code
            == 0);
  }

  plan::launch_plan plan() {
    return store::directory{host.directory() + "/run"}.read_plan("web").value();
  }

  std::string value(const control_file& of) {
    const auto at = cgroup::account_of(plan().cgroup, of.controller);
    const auto file = at.directory + "/" + (at.v2 ? of.v2 : of.v1);
    auto text = sys::read_file(AT_FDCWD, file).value();
    return text.substr(0, text.find('\n'));
  }

  test::command_result update(std::vector<std::string> options,
                              const std::string& input = {}) {
    options.insert(options.begin(), "update");
    options.emplace_back("web");
    return host.troupe(options, {.input = input});
  }

  json resources() {
    return json::parse(host.curl("/v1/containers/web/config").out)
      .at("/linux/resources"_json_pointer);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

bool is_v2(const plan::launch_plan& x) {
  return cgroup::account_of(x.cgroup, "memory").v2;
}

} // namespace

TEST_CASE_METHOD(fixture, "update changes limits, and they stay known",
                 "[e2e][update]") {
  const auto said = update(
    {"--memory", "128m", "--pids-limit", "44", "--cpus", "0.5"});
  INFO(said.err);
  REQUIRE(said.exit_code == 0);
  CHECK(said.out == "web\n");
  CHECK(value(memory) == std::to_string(128 << 20));
  CHECK(value(pids) == "44");
  CHECK(resources().at("/memory/limit"_json_pointer) == 128 << 20);
  CHECK(resources().at("/cpu/quota"_json_pointer) == 50'000);
  const auto events = host.troupe_json(
    {"events", "--type", "updated", "--format", "json"});
  CHECK(events.at("/resources/pids/limit"_json_pointer) == 44);

  // On top of what was before, also for the next supervisor.
  host.kill_supervisor();
  host.start();
  REQUIRE(update({"-r", "-"}, R"({"memory":{"limit":33554432}})").exit_code
          == 0);
  CHECK(value(memory) == std::to_string(32 << 20));
  CHECK(value(pids) == "44");
  CHECK(resources().at("/cpu/quota"_json_pointer) == 50'000);
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an update that the kernel refuses changes nothing",
                 "[e2e][update]") {
  const auto before = resources();
  const auto shares_before = value(shares);
  const auto said = update({"--cpu-shares", "300", "--cpuset-cpus", "999"});
  CHECK(said.exit_code == 125);
  CHECK_THAT(said.err, Contains("/cpu/cpus") && Contains("cpuset.cpus"));
  CHECK(value(shares) == shares_before);
  CHECK(resources() == before);
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "an update that is wrong is refused with its place",
                 "[e2e][update][bad]") {
  struct row {
    const char* document;
    const char* told;
  };
  const auto [document, told] = GENERATE(
    row{R"({"memroy":{"limit":1}})", "/memroy/limit: found '1'"},
    row{R"({"memory":{"limit":"much"}})", "/memory/limit: expected"},
    row{R"({"memory":{"swappiness":101}})", "/memory/swappiness"},
    row{R"({"blockIO":{"weight":5}})", "/blockIO/weight"},
    row{R"({"cpu":{"shares":1e30}})", "/cpu/shares"}, row{"{}", "no limit"},
    row{"[]", "expected an object"}, row{"{", "not a JSON"});
  const auto said = update({"-r", "-"}, document);
  INFO(document << ": " << said.err);
  CHECK(said.exit_code == 125);
  CHECK_THAT(said.err, Contains(told));
  CHECK(value(memory) == std::to_string(64 << 20));
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "update works while paused, and not once stopped",
                 "[e2e][update]") {
  REQUIRE(host.troupe({"pause", "web"}).exit_code == 0);
  CHECK(update({"--pids-limit", "55"}).exit_code == 0);
  CHECK(value(pids) == "55");
  CHECK(host.inspect("web").at("status") == "paused");
  REQUIRE(host.troupe({"kill", "web"}).exit_code == 0);
  REQUIRE(host.troupe({"wait", "web"}).exit_code == 0);
  const auto said = update({"--pids-limit", "66"});
  CHECK(said.exit_code == 125);
  CHECK_THAT(said.err, Contains("update container web: it is stopped"));
  CHECK(host.troupe({"rm", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "a limit below what is in use is refused whole",
                 "[e2e][update]") {
  // 40 MB in the page cache cannot be held against a limit, anonymous memory
  // can: tmpfs, which counts and is not swapped.
  REQUIRE(host
            .troupe({"exec", "web", "/bin/busybox", "dd", "if=/dev/zero",
                     "of=/dev/shm/x", "bs=1M", "count=40"})
            .exit_code
          == 0);
  const auto shares_before = value(shares);
  const auto check = is_v2(plan()) ? R"(,"checkBeforeUpdate":true)" : "";
  const auto said = update({"-r", "-"}, std::string{R"({"cpu":{"shares":300},)"}
                                          + R"("memory":{"limit":8388608)"
                                          + check + "}}");
  CHECK(said.exit_code == 125);
  CHECK_THAT(said.err, Contains("/memory/") && Contains("EBUSY"));
  CHECK(value(memory) == std::to_string(64 << 20));
  CHECK(value(shares) == shares_before);
  CHECK(host.inspect("web").at("status") == "running");
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "updates at once are done one after the other",
                 "[e2e][update]") {
  std::vector<std::unique_ptr<test::background>> all;
  for (auto i = 0; i < 8; ++i)
    all.push_back(host.troupe_background(
      {"update", "--pids-limit", std::to_string(100 + i), "web"}));
  for (const auto& each : all)
    CHECK(each->wait() == 0);
  const auto last = resources().at("/pids/limit"_json_pointer).get<int>();
  CHECK(last >= 100);
  CHECK(value(pids) == std::to_string(last));
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::update_test
