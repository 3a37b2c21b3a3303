#include "bench/measure/plot.hpp"

#include <algorithm>
#include <cctype>

namespace troupe::bench {

namespace {

using group = std::vector<const series*>;

constexpr auto n_prefix = std::string_view{"n="};

std::vector<group> groups_of(const report& x) {
  std::vector<group> out;
  for (const auto& each : x.all) {
    const auto found = std::ranges::find_if(out, [&](const group& g) {
      return g.front()->scenario == each.scenario
             && g.front()->what == each.what;
    });
    if (found == out.end())
      out.push_back({&each});
    else
      found->push_back(&each);
  }
  return out;
}

/// "start to exit" as part of a file name.
std::string slug(const std::string& text) {
  std::string out;
  for (const auto c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out += c;
    else if (!out.ends_with('-'))
      out += '-';
  return out;
}

std::vector<std::string> participants_of(const group& in) {
  std::vector<std::string> out;
  for (const auto* each : in)
    if (std::ranges::find(out, each->participant) == out.end())
      out.push_back(each->participant);
  return out;
}

bool is_curve(const group& in) {
  return std::ranges::all_of(
           in,
           [](const series* x) { return x->condition.starts_with(n_prefix); })
         && std::ranges::any_of(in, [&](const series* x) {
              return x->condition != in.front()->condition;
            });
}

std::string head(const group& in, const std::string& file) {
  const auto& first = *in.front();
  return "set terminal svg size 760,420 background rgb 'white' font "
         "'sans-serif,12'\nset output '"
         + file + "'\nset title '" + first.scenario + ": " + first.what.name
         + "'\nset ylabel '" + first.what.name + " [" + first.what.unit
         + "]'\nset grid ytics\n";
}

std::string point(const std::string& x, const series& of) {
  const auto sum = summarize(of.samples);
  return x + ' ' + std::to_string(sum.median) + ' ' + std::to_string(sum.median)
         + ' ' + std::to_string(std::max(sum.median, sum.p90)) + '\n';
}

std::string curve(const group& in, const std::string& file) {
  auto out = head(in, file) + "set xlabel 'containers'\nset key outside\n";
  std::string lines;
  for (const auto& who : participants_of(in)) {
    const auto block = "$data" + std::to_string(lines.size());
    out += block + " << EOD\n";
    for (const auto* each : in)
      if (each->participant == who)
        out += point(each->condition.substr(n_prefix.size()), *each);
    out += "EOD\n";
    lines.append(lines.empty() ? "plot " : ", ")
      .append(block)
      .append(" using 1:2:3:4 with yerrorlines title '")
      .append(who)
      .append("'");
  }
  return out + lines + '\n';
}

/// Medians that differ by orders of magnitude need a logarithm to be seen.
bool wants_logarithm(const group& in) {
  auto smallest = 0.0;
  auto largest = 0.0;
  for (const auto* each : in) {
    const auto x = quantile(each->samples, 0.5);
    if (x <= 0)
      return false;
    smallest = smallest == 0 ? x : std::min(smallest, x);
    largest = std::max(largest, x);
  }
  return largest > 10 * smallest;
}

std::string bars(const group& in, const std::string& file) {
  auto out = head(in, file)
             + "set style fill solid 0.5\nset boxwidth 0.6\nunset key\n"
             + (wants_logarithm(in) ? "set logscale y\n" : "set yrange [0:*]\n")
             + "$data << EOD\n";
  std::string labels;
  auto at = 0;
  for (const auto* each : in) {
    labels += (at == 0 ? "" : ", ") + ("'" + each->participant)
              + (each->condition.empty() ? "" : "\\n" + each->condition) + "' "
              + std::to_string(at);
    out += point(std::to_string(at++), *each);
  }
  // Double quotes: gnuplot takes \n as a line break in these only.
  std::ranges::replace(labels, '\'', '"');
  return out + "EOD\nset xtics (" + labels
         + ")\nset xrange [-0.6:" + std::to_string(at)
         + "-0.4]\nplot $data using 1:2:3:4:(0.6) with "
           "boxerrorbars lc rgb '#4477aa'\n";
}

} // namespace

std::vector<plot> plots_of(const report& x) {
  std::vector<plot> out;
  for (const auto& each : groups_of(x)) {
    const auto file = slug(each.front()->scenario) + '-'
                      + slug(each.front()->what.name) + ".svg";
    out.push_back(
      {file, is_curve(each) ? curve(each, file) : bars(each, file)});
  }
  return out;
}

} // namespace troupe::bench
