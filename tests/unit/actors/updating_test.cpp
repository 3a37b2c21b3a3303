#include "actors/updating.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/linux/file.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace troupe::updating_test {

using Catch::Contains;

namespace {

/// A container on disk whose cgroup is a directory of plain files: what is
/// written is what can be read.
struct fixture {
  fixture() {
    plan::launch_plan plan;
    plan.id = "web";
    plan.cgroup.mode = plan::cgroup_mode::v1;
    for (const auto* name : {"pids", "cpu"}) {
      host.v1_mounts[name] = directory.path() + "/" + name;
      plan.cgroup.dirs.push_back({name, host.v1_mounts[name], "/web"});
      std::filesystem::create_directories(host.v1_mounts[name] + "/web");
    }
    host.cgroups = plan::cgroup_mode::v1;
    set("pids/web/pids.max", "10");
    set("cpu/web/cpu.shares", "1024");
    REQUIRE(job.store.prepare());
    REQUIRE(job.store.make("web"));
    auto config = oci::to_json(default_spec("/rootfs"));
    config["linux"]["resources"] = {{"pids", {{"limit", 10}}}};
    REQUIRE(job.store.write_config("web", config.dump()));
    REQUIRE(job.store.write_plan(plan));
    job.host = host;
    job.now = std::make_shared<plan::launch_plan>(plan);
  }

  void set(const std::string& file, const std::string& text) {
    std::ofstream{directory.path() + "/" + file} << text;
  }

  std::string get(const std::string& file) {
    return sys::read_file(AT_FDCWD, directory.path() + "/" + file).value();
  }

  result<msg::shared_plan> update(const std::string& resources) {
    job.resources = resources;
    return update_limits(job);
  }

  std::string refusal(const std::string& resources) {
    const auto done = update(resources);
    REQUIRE_FALSE(done);
    return done.error().what;
  }

  test::scratch_directory directory;
  plan::host_facts host;
  update_job job{store::directory{directory.path() + "/run"}, {}, {}, {}};
};

} // namespace

TEST_CASE_METHOD(fixture, "new limits are written, and kept", "[updating]") {
  const auto done = update(R"({"pids":{"limit":20}})");
  REQUIRE(done);
  CHECK(get("pids/web/pids.max") == "20");
  CHECK(get("cpu/web/cpu.shares") == "1024");
  CHECK(job.store.read_plan("web").value() == **done);
  const auto config = nlohmann::json::parse(
    job.store.read_config("web").value());
  CHECK(config.at("/linux/resources/pids/limit"_json_pointer) == 20);
  CHECK(config.contains("/mounts"_json_pointer));
}

TEST_CASE_METHOD(fixture, "what is written already is not written again",
                 "[updating]") {
  job.now = update(R"({"pids":{"limit":20}})").value();
  set("pids/web/pids.max", "somebody else's");
  REQUIRE(update(R"({"cpu":{"shares":2048}})"));
  CHECK(get("pids/web/pids.max") == "somebody else's");
  CHECK(get("cpu/web/cpu.shares") == "2048");
}

TEST_CASE_METHOD(fixture, "a refused limit takes the others back",
                 "[updating]") {
  // There is no such file, and open(2) makes none.
  CHECK_THAT(refusal(R"({"cpu":{"shares":512,"quota":1000}})"),
             Contains("/cpu/quota") && Contains("cpu.cfs_quota_us"));
  CHECK(get("cpu/web/cpu.shares") == "1024");
}

TEST_CASE_METHOD(fixture, "an update is refused in its own words",
                 "[updating][bad]") {
  CHECK_THAT(refusal(R"({"pid":{"limit":1}})"), Contains("/pid/limit: found"));
  CHECK_THAT(refusal(R"({"pids":{"limit":"x"}})"),
             Contains("/pids/limit: expected"));
  CHECK_THAT(refusal(R"({"memory":{"limit":1048576}})"),
             Contains("/memory/limit") && Contains("no memory cgroup"));
  CHECK_THAT(refusal("{}"), Contains("nothing to change"));
  CHECK_THAT(refusal("[1]"), Contains("expected an object"));
  CHECK(get("pids/web/pids.max") == "10");
}

} // namespace troupe::updating_test
