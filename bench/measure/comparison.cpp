#include "bench/measure/comparison.hpp"

#include "programs/troupe/table.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::bench {

namespace {

constexpr auto least_change = 0.03;
constexpr auto significance = 0.01;

const series* find(const report& in, const series& like) {
  const auto found = std::ranges::find_if(in.all, [&](const series& x) {
    return x.scenario == like.scenario && x.condition == like.condition
           && x.what == like.what && x.participant == like.participant;
  });
  return found == in.all.end() ? nullptr : &*found;
}

bool testable(const change& x) {
  return x.before->samples.size() >= least_samples
         && x.after->samples.size() >= least_samples;
}

verdict judge(const change& x, std::size_t tests) {
  if (!testable(x))
    return verdict::unknown;
  if (x.chance * static_cast<double>(tests) >= significance
      || std::abs(x.ratio - 1) <= least_change)
    return verdict::same;
  return (x.ratio > 1) == x.after->what.more_is_better ? verdict::better
                                                       : verdict::worse;
}

std::string row_chance(const change& x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1g", x.chance);
  return x.what == verdict::unknown ? "?" : text;
}

std::string list(const comparison& x, verdict of, const std::string& heading) {
  client::table out{{heading, "BEFORE", "AFTER", "RATIO", "CHANCE"}};
  auto empty = true;
  for (const auto& each : x.changes) {
    if (each.what != of)
      continue;
    empty = false;
    out.add(
      {title(*each.after),
       digits(quantile(each.before->samples, 0.5)) + " "
         + each.before->what.unit,
       digits(quantile(each.after->samples, 0.5)) + " " + each.after->what.unit,
       digits(each.ratio), row_chance(each)});
  }
  return empty ? "" : out.str() + '\n';
}

std::string names(const std::string& heading,
                  const std::vector<std::string>& all) {
  std::string out;
  for (const auto& each : all)
    out.append(heading).append(": ").append(each).append("\n");
  return out;
}

} // namespace

std::string title(const series& x) {
  return x.scenario + (x.condition.empty() ? "" : " " + x.condition) + ": "
         + x.what.name + ", " + x.participant;
}

comparison compare(const report& before, const report& after) {
  comparison out;
  for (const auto& old : before.all)
    if (find(after, old) == nullptr)
      out.only_before.push_back(title(old));
  for (const auto& now : after.all) {
    const auto* old = find(before, now);
    if (old == nullptr) {
      out.only_after.push_back(title(now));
      continue;
    }
    out.changes.push_back(
      {old, &now,
       ratio(quantile(now.samples, 0.5), quantile(old->samples, 0.5)),
       rank_test(old->samples, now.samples), verdict::unknown});
  }
  const auto tests = static_cast<std::size_t>(
    std::ranges::count_if(out.changes, testable));
  for (auto& each : out.changes)
    each.what = judge(each, tests);
  return out;
}

std::string to_text(const comparison& x) {
  const auto same = std::ranges::count(x.changes, verdict::same, &change::what);
  return list(x, verdict::worse, "WORSE") + list(x, verdict::better, "BETTER")
         + list(x, verdict::unknown, "TOO FEW SAMPLES TO TELL")
         + names("only before", x.only_before)
         + names("only after", x.only_after) + std::to_string(same)
         + " series without a change beyond the noise\n";
}

} // namespace troupe::bench
