#include "bench/measure/plot.hpp"
#include "bench/measure/report.hpp"

#include <catch2/catch.hpp>

namespace troupe::report_test {

using namespace troupe::bench;

namespace {

const metric time_ms{"start to exit", "ms"};
const metric rate{"throughput", "/s", true};

report small_report() {
  report out;
  out.machine = {{"cpu", "a fast one"}, {"cores", 2}};
  out.versions = {{"runc", "1.1.5"}};
  for (const auto x : {4.0, 2.0, 3.0})
    out.add("start", "", time_ms, "floor", x);
  for (const auto x : {6.0, 5.0, 7.0})
    out.add("start", "", time_ms, "api", x);
  for (const auto x : {50.0, 70.0, 60.0})
    out.add("start", "", time_ms, "runc", x);
  out.add("concurrent", "n=8", rate, "api", 200);
  out.add("concurrent", "n=8", rate, "runc", 25);
  out.add("concurrent", "n=64", rate, "api", 300);
  return out;
}

const series& find(const report& in, const std::string& scenario,
                   const std::string& who) {
  for (const auto& x : in.all)
    if (x.scenario == scenario && x.participant == who)
      return x;
  throw std::runtime_error{"no series of " + who};
}

} // namespace

TEST_CASE("samples of one key make one series, in the order of the first") {
  const auto x = small_report();
  REQUIRE(x.all.size() == 6);
  CHECK(x.all[0].participant == "floor");
  CHECK(x.all[1].samples == std::vector<double>{6, 5, 7});
}

TEST_CASE("ratios are of medians, and of the same condition only") {
  const auto x = small_report();
  CHECK(ratio_to(x, find(x, "start", "api"), "floor") == 2);
  CHECK(ratio_to(x, find(x, "start", "api"), "runc") == Approx(0.1));
  CHECK(ratio_to(x, find(x, "concurrent", "api"), "runc") == 8);
  CHECK(ratio_to(x, find(x, "start", "api"), "podman") == 0);
  CHECK(ratio_to(x, x.all.back(), "runc") == 0); // nobody else has n=64
}

TEST_CASE("a report survives its JSON") {
  auto x = small_report();
  x.add_absence("start", "crun", "hybrid");
  const auto again = parse_report(to_json(x).dump());
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(x));
  CHECK(to_text(*again) == to_text(x));
}

TEST_CASE("what is no report is refused") {
  CHECK_FALSE(parse_report("{"));
  CHECK_FALSE(parse_report("[]"));
  CHECK_FALSE(parse_report("{\"format\":99}"));
  CHECK_FALSE(parse_report("{\"format\":1,\"machine\":{}}"));
}

TEST_CASE("an absence is told once, with all that it is in") {
  report x;
  x.add_absence("start", "crun", "hybrid");
  x.add_absence("exec", "crun", "hybrid");
  x.add_absence("exec", "crun", "hybrid");
  x.add_absence("exec", "podman", "not there");
  REQUIRE(x.absent.size() == 2);
  CHECK(x.absent[0].scenarios == std::vector<std::string>{"start", "exec"});
  CHECK(to_text(x).find("crun: hybrid (in start, exec)") != std::string::npos);
}

TEST_CASE("figures have three significant digits") {
  CHECK(digits(0.123456) == "0.123");
  CHECK(digits(12.345) == "12.3");
  CHECK(digits(123.45) == "123");
  CHECK(digits(12345) == "12345");
  CHECK(digits(9.9999) == "10.0");
  CHECK(digits(0.00098765) == "0.000988");
  CHECK(digits(0) == "0");
}

TEST_CASE("the table names machine, participants and ratios") {
  const auto text = to_text(small_report());
  CHECK(text.find("a fast one") != std::string::npos);
  CHECK(text.find("/ floor") != std::string::npos);
  CHECK(text.find("6.00 ms") != std::string::npos);
  CHECK(text.find("/ podman") == std::string::npos);
}

TEST_CASE("CSV has a line for each series and quotes what needs it") {
  report x;
  x.add("look", "n=50, starting others", time_ms, "api", 1.5);
  const auto text = to_csv(x);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find("look,\"n=50, starting others\",start to exit,ms,api,1,")
        != std::string::npos);
}

TEST_CASE("a number of containers becomes the x axis, else there are bars") {
  const auto plots = plots_of(small_report());
  REQUIRE(plots.size() == 2);
  CHECK(plots[0].file == "start-start-to-exit.svg");
  CHECK(plots[0].script.find("boxerrorbars") != std::string::npos);
  CHECK(plots[0].script.find("set logscale y") != std::string::npos);
  CHECK(plots[1].file == "concurrent-throughput.svg");
  CHECK(plots[1].script.find("yerrorlines") != std::string::npos);
  CHECK(plots[1].script.find("\n64 300") != std::string::npos);
}

} // namespace troupe::report_test
