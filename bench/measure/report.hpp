#pragma once

#include "bench/measure/stats.hpp"
#include "config/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace troupe::bench {

/// What was measured.
struct metric {
  std::string name; ///< "start to exit"
  std::string unit; ///< "ms", "/s", "KiB"
  bool more_is_better = false;
  friend bool operator==(const metric&, const metric&) = default;
};

/// All samples of one metric, of one participant, under one condition.
struct series {
  std::string scenario;
  std::string condition; ///< "n=64"; "" where there is only one.
  metric what;
  std::string participant; ///< "api", "runc", "floor"…
  std::vector<double> samples;
};

/// Who did not take part, why, and in what.
struct absence {
  std::string participant;
  std::string reason;
  std::vector<std::string> scenarios{}; ///< Empty: in none.
};

/// One run on one machine.
struct report {
  nlohmann::json machine = nlohmann::json::object();  ///< Facts by name.
  nlohmann::json versions = nlohmann::json::object(); ///< Programs' own words.
  nlohmann::json options = nlohmann::json::object();  ///< Of this run.
  std::vector<series> all;
  std::vector<absence> absent;

  /// Appends to the series of that key, or begins it.
  void add(const std::string& scenario, const std::string& condition,
           const metric& what, const std::string& participant, double value);

  /// One entry for each participant and reason.
  void add_absence(const std::string& scenario, const std::string& participant,
                   const std::string& reason);
};

/// The participants that others are compared with, in this order.
[[nodiscard]] const std::vector<std::string>& references();

/// The participant's median over that of `reference` for the same scenario,
/// condition and metric; 0 if it did not take part.
[[nodiscard]] double ratio_to(const report& in, const series& of,
                              const std::string& reference);

[[nodiscard]] nlohmann::json to_json(const report& x);
[[nodiscard]] result<report> parse_report(const std::string& text);

/// For people: facts on top, then a table for each scenario.
[[nodiscard]] std::string to_text(const report& x);
/// One line for each series, with a heading.
[[nodiscard]] std::string to_csv(const report& x);

/// Three significant digits: "0.123", "12.3", "1230".
[[nodiscard]] std::string digits(double x);

} // namespace troupe::bench
