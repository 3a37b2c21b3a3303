// troupe-bench as a program: it measures real things, and takes all of it away
// again, also when it is interrupted.

#include "bench/measure/report.hpp"
#include "runtime/probe/host.hpp"
#include "tests/support/command.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/support/skipped.hpp"
#include "tests/support/supervisor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>

namespace troupe::bench_test {

using strings = std::vector<std::string>;

namespace {

const auto program = std::string{TROUPE_BIN_DIR} + "/troupe-bench";

strings scratch_directories() {
  strings out;
  for (const auto& each : std::filesystem::directory_iterator{"/tmp"})
    if (each.path().filename().string().starts_with("troupe-bench-"))
      out.push_back(each.path());
  std::ranges::sort(out);
  return out;
}

/// The directory that was not there `before`.
std::string fresh_among(const strings& before) {
  strings fresh;
  std::ranges::set_difference(scratch_directories(), before,
                              std::back_inserter(fresh));
  return fresh.empty() ? "" : fresh.front();
}

} // namespace

TEST_CASE("a run measures who takes part and writes a report") {
  if (sys::probe_host("/unused").cgroups == plan::cgroup_mode::v2)
    return test::skipped("bench/floor knows no host with cgroup v2 alone");
  const test::scratch_directory out;
  const auto before = scratch_directories();
  const auto done = test::run(
    {program, "start", "--quick", "--peers", "none", "--out", out / "report"});
  INFO(done.err << done.out);
  REQUIRE(done.exit_code == 0);
  const auto report = bench::parse_report(out.read("report/report.json"));
  REQUIRE(report);
  for (const auto* who : {"floor", "api", "troupe", "troupe-oci"}) {
    const auto found = std::ranges::find_if(report->all, [&](const auto& x) {
      return x.participant == who && x.what.name == "start to exit";
    });
    INFO(who);
    REQUIRE(found != report->all.end());
    CHECK(std::ranges::all_of(found->samples, [](double x) { return x > 0; }));
    CHECK((who == std::string{"floor"}
           || bench::ratio_to(*report, *found, "floor") > 0));
  }
  CHECK(out.read("report/report.csv").find("start to exit")
        != std::string::npos);
  CHECK(fresh_among(before).empty());
}

TEST_CASE("an interrupted run takes everything away") {
  const auto before = scratch_directories();
  test::background running{
    {program, "density", "--quick", "--peers", "none", "--progress"}};
  REQUIRE(running.wait_for_output("n=50: round"));
  const auto directory = fresh_among(before);
  REQUIRE_FALSE(directory.empty());
  running.signal(SIGINT);
  CHECK(running.wait() == 1);
  INFO(running.output());
  CHECK(running.output().find("interrupted") != std::string::npos);
  // Its cgroups are named as its directory, up to the random end.
  const auto parent = directory.substr(4, directory.rfind('-') - 4);
  CHECK(parent.starts_with("/troupe-bench-"));
  for (const auto* suffix : {"", "-podman", "-ctr"})
    CHECK(test::leftovers(directory, parent + suffix) == strings{});
  CHECK_FALSE(std::filesystem::exists(directory));
}

TEST_CASE("two reports are compared") {
  const test::scratch_directory at;
  bench::report old;
  bench::report now;
  for (auto i = 0; i < 20; ++i) {
    old.add("start", "", {"start to exit", "ms"}, "api", 10 + i * 0.01);
    now.add("start", "", {"start to exit", "ms"}, "api", 15 + i * 0.01);
  }
  at.write("old.json", bench::to_json(old).dump());
  at.write("new.json", bench::to_json(now).dump());
  const auto done = test::run(
    {program, "--compare", at / "old.json", at / "new.json"});
  CHECK(done.exit_code == 0);
  CHECK(done.out.find("WORSE") != std::string::npos);
  CHECK(done.out.find("start: start to exit, api") != std::string::npos);
  CHECK(
    test::run({program, "--compare", at / "old.json", at / "none"}).exit_code
    == 1);
}

} // namespace troupe::bench_test
