#include "runtime/cgroup/counters.hpp"

#include "runtime/cgroup/tree.hpp"
#include "runtime/cgroup/write_list.hpp"
#include "runtime/linux/file.hpp"

#include <charconv>
#include <limits>

namespace troupe::cgroup {

namespace {

constexpr auto absent = std::int64_t{-1};
constexpr auto unlimited = std::numeric_limits<std::int64_t>::max();

/// v1's "unlimited" is INT64_MAX rounded down to a page, of up to 64 KiB.
constexpr auto v1_unlimited = unlimited - 0xffff;

/// "42\n", "max\n"; -1 for anything else.
std::int64_t to_number(std::string_view text) {
  if (text.starts_with("max"))
    return unlimited;
  auto value = absent;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value >= v1_unlimited ? unlimited : value;
}

std::string content(const account& at, const char* file) {
  if (!at)
    return {};
  return sys::read_file(AT_FDCWD, at.directory + "/" + file)
    .value_or(std::string{});
}

std::int64_t number_in(const account& at, const char* file) {
  return to_number(content(at, file));
}

std::int64_t field_in(const std::string& text, std::string_view key) {
  return to_number(field_of(text, key));
}

std::int64_t scaled(std::int64_t value, std::int64_t factor) {
  return value < 0 ? absent : value * factor;
}

void read_usage(counters& to, const account& at) {
  if (at.v2) {
    const auto text = content(at, "cpu.stat");
    to.cpu_usage_ns = scaled(field_in(text, "usage_usec"), 1000);
    to.cpu_user_ns = scaled(field_in(text, "user_usec"), 1000);
    to.cpu_system_ns = scaled(field_in(text, "system_usec"), 1000);
  } else {
    to.cpu_usage_ns = number_in(at, "cpuacct.usage");
    to.cpu_user_ns = number_in(at, "cpuacct.usage_user");
    to.cpu_system_ns = number_in(at, "cpuacct.usage_sys");
  }
}

void read_throttling(counters& to, const account& at) {
  const auto text = content(at, "cpu.stat");
  to.cpu_periods = field_in(text, "nr_periods");
  to.cpu_throttled_periods = field_in(text, "nr_throttled");
  to.cpu_throttled_ns = at.v2 ? scaled(field_in(text, "throttled_usec"), 1000)
                              : field_in(text, "throttled_time");
}

void read_memory(counters& to, const account& at) {
  const auto stat = content(at, "memory.stat");
  if (at.v2) {
    to.memory_usage = number_in(at, "memory.current");
    to.memory_max_usage = number_in(at, "memory.peak"); // Linux 5.19
    to.memory_limit = number_in(at, "memory.max");
    to.memory_cache = field_in(stat, "file");
    to.memory_failcnt = field_in(content(at, "memory.events"), "max");
  } else {
    to.memory_usage = number_in(at, "memory.usage_in_bytes");
    to.memory_max_usage = number_in(at, "memory.max_usage_in_bytes");
    to.memory_limit = number_in(at, "memory.limit_in_bytes");
    to.memory_cache = field_in(stat, "total_cache");
    to.memory_failcnt = number_in(at, "memory.failcnt");
  }
}

/// v1 counts a kill where the victim was, and not in the cgroups above.
result<std::int64_t> sum_of_v1_kills(const std::string& top) {
  TROUPE_TRY(const auto dirs, subtree(top));
  auto sum = std::int64_t{0};
  for (const auto& dir : dirs) {
    const auto kills = field_in(content({dir, false}, "memory.oom_control"),
                                "oom_kill");
    sum += kills > 0 ? kills : 0;
  }
  return sum;
}

} // namespace

account account_of(const plan::cgroup& in, std::string_view controller) {
  auto v2 = account{};
  for (const auto& dir : in.dirs) {
    if (has_item(dir.controller, ',', controller))
      return {directory_of(dir), false};
    if (is_v2(dir))
      v2 = {directory_of(dir), true};
  }
  return v2;
}

counters read_counters(const plan::cgroup& in) {
  auto out = counters{};
  read_usage(out, account_of(in, "cpuacct"));
  read_throttling(out, account_of(in, "cpu"));
  const auto memory = account_of(in, "memory");
  read_memory(out, memory);
  if (out.memory_usage != absent)
    out.oom_kills = read_oom_kills(in).value_or(absent);
  const auto pids = account_of(in, "pids");
  out.pids_current = number_in(pids, "pids.current");
  out.pids_limit = number_in(pids, "pids.max");
  return out;
}

result<std::int64_t> read_oom_kills(const plan::cgroup& in) {
  const auto at = account_of(in, "memory");
  if (!at)
    return 0;
  if (!at.v2)
    return sum_of_v1_kills(at.directory);
  const auto text = sys::read_file(AT_FDCWD, at.directory + "/memory.events");
  if (text)
    return field_in(*text, "oom_kill");
  // No such file: no such controller, if the cgroup itself is there.
  TROUPE_CHECK(sys::open_file(AT_FDCWD, at.directory, O_PATH));
  return 0;
}

} // namespace troupe::cgroup
