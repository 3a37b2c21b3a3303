#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
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

inline bool counts_for(const budget& of, const std::string& name) {
  return of.names.empty() ? !is_wait(name)
                          : std::ranges::find(of.names, name) != of.names.end();
}

inline void check_budget(const syscall_counts& counts, const budget& of) {
  auto used = 0.0;
  std::vector<std::pair<double, std::string>> listed;
  for (const auto& [name, calls] : counts)
    if (counts_for(of, name)) {
      used += calls;
      listed.emplace_back(calls, name);
    }
  std::ranges::sort(listed, std::greater{});
  std::ostringstream listing;
  for (const auto& [calls, name] : listed)
    listing << '\n' << calls << ' ' << name;
  INFO(of.what << ": " << used << " of " << of.calls << listing.str());
  CHECK(used > 0); // else nothing was counted
  CHECK(used <= of.calls);
}

} // namespace troupe::test
