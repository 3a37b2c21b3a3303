#include "bench/measure/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace troupe::bench {

namespace {

constexpr auto description
  = "Measures troupe beside other runtimes and beside the kernel's own floor.";

} // namespace

bool options::wants_peer(const std::string& name) const {
  return std::ranges::find(peers, name) != peers.end();
}

parsed parse_options(std::vector<std::string> words,
                     const std::vector<std::string>& known) {
  parsed out;
  auto& to = out.with;
  auto peers = to.peers;
  peers.emplace_back("none");
  CLI::App app{description, "troupe-bench"};
  app.add_option("SCENARIO", to.scenarios, "What to measure (default: all)")
    ->check(CLI::IsMember(known));
  app.add_option("--peers", to.peers, "Whom to measure beside troupe, or none")
    ->delimiter(',')
    ->allow_extra_args(false)
    ->check(CLI::IsMember(peers))
    ->capture_default_str();
  app.add_option("--out", to.out,
                 "Directory for report.json, report.csv and the plots");
  app.add_flag("--quick", to.quick,
               "Few rounds: shows whether it runs, not how fast");
  app.add_flag("--progress", to.progress,
               "Tell how far it is, even if stderr is no terminal");
  app.add_flag("--list", to.list, "List the scenarios");
  app
    .add_option("--compare", to.compare,
                "Two report.json: say what changed beyond the noise")
    ->expected(2);
  std::ranges::reverse(words); // CLI11 takes them from the end
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& why) {
    std::ostringstream text;
    std::ostringstream complaint;
    out.exit_code = app.exit(why, text, complaint) == 0 ? 0 : 2;
    out.said = text.str() + complaint.str();
  }
  if (to.wants_peer("none"))
    to.peers.clear();
  return out;
}

} // namespace troupe::bench
