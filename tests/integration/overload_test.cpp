// More at once than the host can do at once.

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/scratch_cgroup.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace troupe::overload_test {

using nlohmann::json;

namespace {

/// Creates, starts, awaits and removes a container; its exit code, or what went
/// wrong.
std::string run_one(const std::string& socket, const json& request) {
  test::http_client api{socket};
  const auto path = "/v1/containers/" + request.at("id").get<std::string>();
  const auto ask = [&](const char* method, const std::string& target,
                       const std::string& body = {}) {
    const auto said = api.ask(method, target, body);
    if (said.status == 0 || said.status >= 300)
      throw std::runtime_error{target + ": " + std::to_string(said.status) + " "
                               + said.body};
    return said.body;
  };
  try {
    ask("POST", "/v1/containers", request.dump());
    ask("POST", path + "/start");
    const auto ended = json::parse(ask("GET", path + "/wait"));
    ask("DELETE", path);
    return ended.at("exit_code").dump();
  } catch (const std::exception& why) {
    return why.what();
  }
}

void run_at_once(std::size_t count) {
  const test::busybox_rootfs root;
  test::supervisor host;
  host.start();
  std::latch all_there{static_cast<std::ptrdiff_t>(count)};
  std::vector<std::string> found(count);
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < count; ++i)
    clients.emplace_back([&, i] {
      const json request{
        {"id", "web-" + std::to_string(i)},
        {"rootfs", root.path()},
        {"options",
         {{"args", {"/bin/sh", "-c", "exit " + std::to_string(i % 256)}}}}};
      all_there.arrive_and_wait();
      found[i] = run_one(host.socket(), request);
    });
  for (auto& each : clients)
    each.join();
  for (std::size_t i = 0; i < count; ++i)
    CHECK(found[i] == std::to_string(i % 256));
  CHECK(host.troupe({"ps", "-aq"}).out.empty());
  CHECK(host.finish().empty());
}

} // namespace

TEST_CASE("forty runs at once", "[e2e][overload]") {
  run_at_once(40);
}

TEST_CASE("launches beyond what may run at once wait in line, or are refused",
          "[e2e][overload][bad]") {
  const test::busybox_rootfs root;
  test::supervisor host;
  const auto config = host.directory() + "/settings.json";
  std::ofstream{config} << json{{"launches_at_once", 1}, {"launch_queue", 2}};
  host.start({"--config", config});
  auto spec = default_spec(root.path());
  spec.process->args = {"/bin/true"};
  auto document = oci::to_json(spec);
  document["hooks"]["createRuntime"] = {
    {{"path", "/bin/sleep"}, {"args", {"sleep", "1000"}}}};
  std::ofstream{root.bundle() + "/config.json"} << document.dump();

  const auto run = [&](const char* name) {
    return host.troupe_background({"run", "--name", name, "--rootfs",
                                   root.path(), "--", "/bin/sh", "-c",
                                   "exit 7"});
  };
  const auto awaits = [&](const char* name, const std::string& what) {
    return cgroup_test::eventually([&] {
      const auto all = host.troupe_json({"ps", "-a", "--format", "json"});
      return std::ranges::any_of(all, [&](const json& x) {
        return x.at("id") == name && x.at("waiting_for") == what;
      });
    });
  };
  const auto hangs = host.troupe_background(
    {"create", "--name", "hangs", root.bundle()});
  REQUIRE(awaits("hangs", "launch"));
  const auto first = run("first");
  REQUIRE(awaits("first", "launch: 0 launches before it"));
  const auto second = run("second");
  REQUIRE(awaits("second", "launch: 1 launches before it"));
  const auto refused = host.troupe(
    {"run", "--name", "third", "--rootfs", root.path(), "--", "/bin/true"});
  CHECK(refused.exit_code == 125);
  CHECK_THAT(refused.err, Catch::Contains("2 launches wait already"));

  CHECK(host.troupe({"rm", "-f", "first"}).exit_code == 0);
  CHECK(first->wait() == 125);
  CHECK(awaits("second", "launch: 0 launches before it"));
  CHECK(host.troupe({"rm", "-f", "hangs"}).exit_code == 0);
  CHECK(hangs->wait() == 125);
  CHECK(second->wait() == 7);
  CHECK(host.finish().empty());
}

TEST_CASE("a thousand runs at once end with a thousand right exit codes",
          "[.][heavy][overload]") {
  run_at_once(1000);
}

} // namespace troupe::overload_test
