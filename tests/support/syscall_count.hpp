#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::test {

/// System calls by name, as `strace -c -U calls,name` has counted them.
using syscall_counts = std::map<std::string, double>;

/// Divided by `among`: so many times was done what was counted.
inline syscall_counts parse_counts(const std::string& summary, int among) {
  syscall_counts out;
  std::istringstream lines{summary};
  auto calls = 0.0;
  std::string name;
  for (std::string line; std::getline(lines, line);)
    if (std::istringstream words{line}; words >> calls >> name)
      if (name != "total")
        out[name] += calls / among;
  return out;
}

/// A bound on how often calls may be made. `names` empty: all of them but the
/// waits, whose number depends on who is faster.
struct budget {
  const char* what;
  std::vector<std::string> names;
  double calls;
};

inline bool is_wait(const std::string& name) {
  static const std::vector<std::string> waits{"futex", "epoll_wait", "poll",
                                              "sched_yield", "restart_syscall"};
  return std::ranges::find(waits, name) != waits.end();
}

inline double spent(const syscall_counts& counts, const budget& of) {
  auto out = 0.0;
  for (const auto& [name, calls] : counts)
    if (of.names.empty() ? !is_wait(name)
                         : std::ranges::find(of.names, name) != of.names.end())
      out += calls;
  return out;
}

inline std::string text_of(const syscall_counts& counts) {
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, calls] : counts)
    sorted.emplace_back(-calls, name);
  std::ranges::sort(sorted);
  std::ostringstream out;
  for (const auto& [calls, name] : sorted)
    out << -calls << ' ' << name << '\n';
  return out.str();
}

inline void check_budgets(const syscall_counts& counts,
                          const std::vector<budget>& all) {
  const auto listing = text_of(counts);
  for (const auto& each : all) {
    const auto used = spent(counts, each);
    INFO(each.what << ": " << used << " of " << each.calls << "\n" << listing);
    CHECK(used > 0); // else nothing was counted
    CHECK(used <= each.calls);
  }
}

} // namespace troupe::test
