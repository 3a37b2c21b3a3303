#include "bench/harness/interrupt.hpp"
#include "bench/harness/machine.hpp"
#include "bench/harness/output.hpp"
#include "bench/measure/comparison.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/search_path.hpp"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace troupe::bench {

namespace {

constexpr std::size_t report_limit = 64U << 20U;

int complain(const failure& why) {
  std::fprintf(stderr, "troupe-bench: %s\n", why.what.c_str());
  return 1;
}

result<report> read_report(const std::string& path) {
  TROUPE_TRY(const auto text, sys::read_file(AT_FDCWD, path, report_limit));
  auto out = parse_report(text);
  if (!out)
    return fail(fault::invalid_config, path + ": " + out.error().what);
  return out;
}

int compare_reports(const std::vector<std::string>& paths) {
  const auto before = read_report(paths[0]);
  if (!before)
    return complain(before.error());
  const auto after = read_report(paths[1]);
  if (!after)
    return complain(after.error());
  std::fputs(to_text(compare(*before, *after)).c_str(), stdout);
  return 0;
}

int list_scenarios() {
  for (const auto& each : all_scenarios())
    std::printf("%-12s %s\n", each.name, each.measures);
  return 0;
}

bool is_wanted(const options& with, const scenario& one) {
  return with.scenarios.empty()
         || std::ranges::find(with.scenarios, one.name) != with.scenarios.end();
}

void describe(report& out, const options& with) {
  out.machine = machine_facts();
  out.options = {{"quick", with.quick},
                 {"scenarios", with.scenarios},
                 {"peers", with.peers}};
}

std::vector<std::string> programs_of(const options& with) {
  std::vector<std::string> out{world::program("trouped"),
                               world::program("troupe-oci")};
  for (const auto& name : with.peers)
    if (const auto path = sys::find_on_path(name); !path.empty())
      out.push_back(path);
  return out;
}

/// Runs what is wanted; what was measured before a failure is kept.
outcome measure(const options& with, report& out, bool& own_failure) {
  TROUPE_TRY(const auto made, world::open(with, out));
  out.versions = program_versions(programs_of(with), made->run);
  outcome ran;
  for (const auto& each : all_scenarios()) {
    if (!ran || !is_wanted(with, each))
      continue;
    session one{*made, each.name};
    one.progress(each.measures);
    ran = each.run(one);
    if (!ran)
      ran = fail({ran.error().code, 0,
                  std::string{each.name} + ": " + ran.error().what});
  }
  const auto closed = made->close();
  own_failure = made->own_failure;
  return ran ? closed : ran;
}

int run(const options& with) {
  if (::geteuid() != 0)
    return complain({fault::denied, 0,
                     "must run as root: containers need namespaces, mounts "
                     "and cgroups"});
  catch_signals();
  report out;
  describe(out, with);
  auto own_failure = false;
  const auto done = measure(with, out, own_failure);
  std::fputs(to_text(out).c_str(), stdout);
  auto code = own_failure ? 1 : 0;
  if (!done)
    code = complain(done.error());
  if (!with.out.empty())
    if (const auto wrote = write_files(out, with.out); !wrote)
      code = complain(wrote.error());
  return code;
}

} // namespace

} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe::bench;
  const auto [with, exit_code, said] = parse_options({argv + 1, argv + argc},
                                                     scenario_names());
  if (exit_code >= 0) {
    std::fputs(said.c_str(), exit_code == 0 ? stdout : stderr);
    return exit_code;
  }
  if (with.list)
    return list_scenarios();
  if (!with.compare.empty())
    return compare_reports(with.compare);
  return run(with);
}
