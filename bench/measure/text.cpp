#include "bench/measure/report.hpp"
#include "programs/troupe/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace troupe::bench {

namespace {

std::string facts(const nlohmann::json& of) {
  std::string out;
  for (const auto& [name, value] : of.items())
    out += "  " + name
           + std::string(name.size() < 14 ? 14 - name.size() : 0, ' ') + "  "
           + (value.is_string() ? value.get<std::string>() : value.dump())
           + '\n';
  return out;
}

std::vector<std::string> scenarios_of(const report& x) {
  std::vector<std::string> out;
  for (const auto& each : x.all)
    if (std::ranges::find(out, each.scenario) == out.end())
      out.push_back(each.scenario);
  return out;
}

/// References that took part in `scenario`.
std::vector<std::string> references_in(const report& x,
                                       const std::string& scenario) {
  std::vector<std::string> out;
  for (const auto& name : references())
    if (std::ranges::any_of(x.all, [&](const series& each) {
          return each.scenario == scenario && each.participant == name;
        }))
      out.push_back(name);
  return out;
}

std::string with_unit(double x, const metric& what) {
  return digits(x) + (what.unit.empty() ? "" : " " + what.unit);
}

std::string table_of(const report& x, const std::string& scenario) {
  const auto compared = references_in(x, scenario);
  std::vector<std::string> heading{"METRIC", "CONDITION", "WHO", "MEDIAN",
                                   "P90",    "P99",       "N"};
  for (const auto& name : compared)
    heading.push_back("/ " + name);
  client::table out{heading};
  for (const auto& each : x.all) {
    if (each.scenario != scenario)
      continue;
    const auto sum = summarize(each.samples);
    std::vector<std::string> row{each.what.name,
                                 each.condition,
                                 each.participant,
                                 with_unit(sum.median, each.what),
                                 sum.n > 1 ? digits(sum.p90) : "",
                                 sum.n > 1 ? digits(sum.p99) : "",
                                 std::to_string(sum.n)};
    for (const auto& name : compared) {
      const auto found = ratio_to(x, each, name);
      row.push_back(found == 0 ? "" : digits(found));
    }
    out.add(std::move(row));
  }
  return out.str();
}

std::string in_what(const absence& x) {
  std::string out;
  for (const auto& each : x.scenarios)
    out += (out.empty() ? " (in " : ", ") + each;
  return out.empty() ? "" : out + ")";
}

/// RFC 4180.
std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos)
    return text;
  std::string out = "\"";
  for (const auto c : text)
    out += c == '"' ? std::string{"\"\""} : std::string(1, c);
  return out + '"';
}

} // namespace

std::string digits(double x) {
  if (x == 0 || !std::isfinite(x))
    return x == 0 ? "0" : "-";
  const auto digits_before = [](double of) {
    return static_cast<int>(std::floor(std::log10(std::abs(of)))) + 1;
  };
  // Rounding may add one: 9.999 is "10.0".
  const auto unit = std::pow(10.0, digits_before(x) - 3);
  const auto before = digits_before(std::round(x / unit) * unit);
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", std::clamp(3 - before, 0, 6), x);
  return text;
}

std::string to_text(const report& x) {
  auto out = "machine\n" + facts(x.machine) + "\nversions\n"
             + facts(x.versions);
  for (const auto& scenario : scenarios_of(x))
    out += "\n" + scenario + "\n" + table_of(x, scenario);
  if (!x.absent.empty())
    out += "\nabsent\n";
  for (const auto& each : x.absent)
    out += "  " + each.participant + ": " + each.reason + in_what(each) + '\n';
  return out;
}

std::string to_csv(const report& x) {
  std::string out
    = "scenario,condition,metric,unit,participant,n,median,p90,p99";
  for (const auto& name : references())
    out += ",ratio_to_" + name;
  out += '\n';
  for (const auto& each : x.all) {
    const auto sum = summarize(each.samples);
    for (const auto& text : {each.scenario, each.condition, each.what.name,
                             each.what.unit, each.participant})
      out += quoted(text) + ',';
    out += std::to_string(sum.n) + ',' + std::to_string(sum.median) + ','
           + std::to_string(sum.p90) + ',' + std::to_string(sum.p99);
    for (const auto& name : references()) {
      const auto found = ratio_to(x, each, name);
      out += ',' + (found == 0 ? "" : std::to_string(found));
    }
    out += '\n';
  }
  return out;
}

} // namespace troupe::bench
