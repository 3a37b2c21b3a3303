#include "bench/harness/output.hpp"

#include "bench/harness/process.hpp"
#include "bench/measure/plot.hpp"
#include "runtime/linux/search_path.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace troupe::bench {

namespace {

outcome write(const std::string& path, const std::string& text) {
  if (!(std::ofstream{path, std::ios::binary} << text << std::flush))
    return fail_os(errno, "write", path);
  return {};
}

/// gnuplot writes where it is: the scripts name files without a directory.
outcome draw(const std::vector<plot>& all, const std::string& directory) {
  runner run;
  for (const auto& each : all) {
    const auto script = directory + "/" + each.file + ".gp";
    TROUPE_CHECK(write(script, each.script));
    const auto drawn = run.time(
      {{"env", "--chdir=" + directory, "gnuplot", each.file + ".gp"}});
    std::filesystem::remove(script);
    TROUPE_CHECK(drawn);
  }
  return {};
}

} // namespace

outcome write_files(const report& x, const std::string& directory) {
  std::error_code why;
  std::filesystem::create_directories(directory, why);
  TROUPE_CHECK(write(directory + "/report.json", to_json(x).dump() + '\n'));
  TROUPE_CHECK(write(directory + "/report.csv", to_csv(x)));
  if (sys::find_on_path("gnuplot").empty()) {
    std::fputs("troupe-bench: no plots: gnuplot is not on PATH "
               "(package gnuplot-nox)\n",
               stderr);
    return {};
  }
  return draw(plots_of(x), directory);
}

} // namespace troupe::bench
