// What containers use, as users and Prometheus see it.

#include "tests/support/rootfs.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <sstream>
#include <string>

namespace troupe::stats_test {

using Catch::Contains;
using nlohmann::json;

namespace {

const auto nothing = std::vector<std::string>{};

struct fixture {
  fixture() {
    host.start();
  }

  void run(const std::string& name, const std::string& script,
           std::vector<std::string> options = {}) {
    std::vector<std::string> argv{"run", "-d", "--name", name};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(),
                {"--rootfs", root.path(), "--", "/bin/sh", "-c", script});
    const auto did = host.troupe(argv);
    INFO(did.err);
    REQUIRE(did.exit_code == 0);
  }

  json stats(const std::string& name) {
    return json::parse(host.curl("/v1/containers/" + name + "/stats").out);
  }

  test::busybox_rootfs root;
  test::supervisor host;
};

} // namespace

TEST_CASE_METHOD(fixture, "a container's counters are its own",
                 "[e2e][stats]") {
  run("web",
      "dd if=/dev/zero of=/dev/shm/x bs=1M count=8 2>/dev/null; "
      "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; "
      "ping -c 1 127.0.0.1 >/dev/null; sleep 1000",
      {"--memory", "64m", "--pids-limit", "20"});
  REQUIRE(host
            .troupe({"exec", "web", "sh", "-c",
                     "until grep -q sleep /proc/*/comm; do :; done"})
            .exit_code
          == 0);
  const auto now = stats("web");
  INFO(now.dump(1));
  CHECK(now.at("cpu_usage_ns") > 1'000'000);
  CHECK(now.at("memory_usage") > 8 << 20);
  CHECK(now.at("memory_max_usage") >= now.at("memory_usage"));
  CHECK(now.at("memory_limit") == 64 << 20);
  CHECK(now.at("/memory_stat"_json_pointer).size() > 10);
  CHECK(now.at("pids_limit") == 20);
  CHECK(now.at("oom_kills") == 0);
  CHECK(now.at("system_usage_ns") > now.at("cpu_usage_ns"));
  CHECK(now.at("online_cpus") > 0);
  CHECK(now.at("/network/lo/rx_packets"_json_pointer) > 0);
  CHECK(now.at("pressure").contains("memory"));
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "stats shows all that run, and how busy they are",
                 "[e2e][stats]") {
  run("busy", "while :; do :; done");
  run("calm", "sleep 1000");
  run("gone", "exit 0");
  REQUIRE(host.troupe({"wait", "gone"}).exit_code == 0);
  const auto look = json::parse(host.curl("/v1/stats").out);
  INFO(look.dump(1));
  const auto& rows = look.at("containers");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("id") == "busy");
  CHECK(rows[0].at("cpu_percent") > 10);
  CHECK(rows[1].at("cpu_percent") < rows[0].at("cpu_percent"));
  CHECK(rows[1].at("pids_current") == 1);
  CHECK(rows[1].at("memory_working_set") > 0);

  const auto table = host.troupe({"stats", "--no-stream"}).out;
  CHECK_THAT(table, Contains("busy") && Contains("calm") && Contains("MEM %"));
  CHECK_THAT(host.troupe({"stats", "--no-stream", "gone"}).err,
             Contains("it is stopped"));
  const auto streaming = host.troupe_background(
    {"stats", "--format", "json", "calm"});
  REQUIRE(streaming->wait_for_output(R"("id":"calm")"));
  CHECK(host.troupe({"rm", "-f", "calm"}).exit_code == 0);
  CHECK(streaming->wait() == 0); // nothing is left to look at
  CHECK(host.troupe({"rm", "-f", "busy", "gone"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "Prometheus can read the metrics", "[e2e][stats]") {
  run("web", "sleep 1000", {"--memory", "64m"});
  const auto text = host.curl("/metrics").out;
  INFO(text);
  CHECK_THAT(text,
             Contains("container_spec_memory_limit_bytes{id=\"web\"} 67108864")
               && Contains("troupe_containers{status=\"running\"} 1\n")
               && Contains("# TYPE container_cpu_usage_seconds_total counter"));
  // The format's own rules: each line a comment or NAME{LABELS} VALUE.
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE "))
      continue;
    std::istringstream words{line};
    std::string name;
    double value = -1;
    CHECK((words >> name >> value && words.eof()));
    CHECK(value >= 0);
  }
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

TEST_CASE_METHOD(fixture, "top tells the pids that the container sees",
                 "[e2e][stats]") {
  run("web", "sleep 1000 & sleep 1001");
  REQUIRE(host.troupe({"pause", "web"}).exit_code == 0);
  const auto all = json::parse(host.curl("/v1/containers/web/top").out);
  INFO(all.dump(1));
  REQUIRE(all.size() >= 2);
  CHECK(all[0].at("pid") == host.inspect("web").at("pid"));
  CHECK(all[0].at("inner_pid") == 1);
  CHECK(all[1].at("inner_pid") == 2);
  CHECK(all[1].at("ppid") == all[0].at("pid"));
  CHECK(host.troupe({"rm", "-f", "web"}).exit_code == 0);
  CHECK(host.finish() == nothing);
}

} // namespace troupe::stats_test
