#include "bench/measure/report.hpp"

#include <algorithm>

namespace troupe::bench {

namespace {

constexpr auto format_version = 1;

nlohmann::json to_json(const series& x, const report& in) {
  const auto sum = summarize(x.samples);
  nlohmann::json ratios = nlohmann::json::object();
  for (const auto& reference : references())
    if (const auto found = ratio_to(in, x, reference); found != 0)
      ratios[reference] = found;
  return {{"scenario", x.scenario},
          {"condition", x.condition},
          {"metric", x.what.name},
          {"unit", x.what.unit},
          {"more_is_better", x.what.more_is_better},
          {"participant", x.participant},
          {"n", sum.n},
          {"median", sum.median},
          {"p90", sum.p90},
          {"p99", sum.p99},
          {"ratio_to", std::move(ratios)},
          {"samples", x.samples}};
}

series series_of(const nlohmann::json& x) {
  return {x.at("scenario"),
          x.at("condition"),
          {x.at("metric"), x.at("unit"), x.at("more_is_better")},
          x.at("participant"),
          x.at("samples").get<std::vector<double>>()};
}

bool same_subject(const series& a, const series& b) {
  return a.scenario == b.scenario && a.condition == b.condition
         && a.what == b.what;
}

} // namespace

void report::add(const std::string& scenario, const std::string& condition,
                 const metric& what, const std::string& participant,
                 double value) {
  const auto found = std::ranges::find_if(all, [&](const series& x) {
    return x.scenario == scenario && x.condition == condition && x.what == what
           && x.participant == participant;
  });
  if (found != all.end())
    found->samples.push_back(value);
  else
    all.push_back({scenario, condition, what, participant, {value}});
}

void report::add_absence(const std::string& scenario,
                         const std::string& participant,
                         const std::string& reason) {
  auto found = std::ranges::find_if(absent, [&](const absence& x) {
    return x.participant == participant && x.reason == reason;
  });
  if (found == absent.end())
    found = absent.insert(absent.end(), {participant, reason});
  if (std::ranges::find(found->scenarios, scenario) == found->scenarios.end())
    found->scenarios.push_back(scenario);
}

const std::vector<std::string>& references() {
  static const std::vector<std::string> names{"floor", "runc", "crun", "podman",
                                              "containerd"};
  return names;
}

double ratio_to(const report& in, const series& of,
                const std::string& reference) {
  const auto found = std::ranges::find_if(in.all, [&](const series& x) {
    return x.participant == reference && same_subject(x, of);
  });
  if (found == in.all.end())
    return 0;
  return ratio(quantile(of.samples, 0.5), quantile(found->samples, 0.5));
}

nlohmann::json to_json(const report& x) {
  auto all = nlohmann::json::array();
  for (const auto& each : x.all)
    all.push_back(to_json(each, x));
  auto absent = nlohmann::json::array();
  for (const auto& each : x.absent)
    absent.push_back({{"participant", each.participant},
                      {"reason", each.reason},
                      {"scenarios", each.scenarios}});
  return {{"format", format_version}, {"machine", x.machine},
          {"versions", x.versions},   {"options", x.options},
          {"series", std::move(all)}, {"absent", std::move(absent)}};
}

result<report> parse_report(const std::string& text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object() || document.value("format", 0) != format_version)
    return fail(fault::invalid_config, "not a report of troupe-bench");
  report out;
  try { // nlohmann's accessors have no other way to refuse
    out.machine = document.at("machine");
    out.versions = document.at("versions");
    out.options = document.at("options");
    for (const auto& x : document.at("series"))
      out.all.push_back(series_of(x));
    for (const auto& x : document.at("absent"))
      out.absent.push_back({x.at("participant"), x.at("reason"),
                            x.at("scenarios").get<std::vector<std::string>>()});
  } catch (const nlohmann::json::exception& why) {
    return fail(fault::invalid_config, why.what());
  }
  return out;
}

} // namespace troupe::bench
