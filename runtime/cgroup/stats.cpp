#include "runtime/cgroup/stats.hpp"

#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/oom.hpp"
#include "runtime/cgroup/stat_files.hpp"
#include "runtime/cgroup/tree.hpp"

#include <algorithm>
#include <dirent.h>

namespace troupe::cgroup {

namespace {

std::int64_t scaled(std::int64_t value, std::int64_t factor) {
  return value < 0 ? absent : value * factor;
}

/// Of numbers that may be absent, or no limit at all.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  if (a < 0 || b < 0)
    return absent;
  return a > no_limit - b ? no_limit : a + b;
}

void read_cpu(stats& to, const account& at) {
  if (at.v2) {
    const auto text = content(at, "cpu.stat");
    to.cpu_usage_ns = scaled(field_in(text, "usage_usec"), 1000);
    to.cpu_user_ns = scaled(field_in(text, "user_usec"), 1000);
    to.cpu_system_ns = scaled(field_in(text, "system_usec"), 1000);
  } else {
    to.cpu_usage_ns = number_in(at, "cpuacct.usage");
    to.cpu_user_ns = number_in(at, "cpuacct.usage_user");
    to.cpu_system_ns = number_in(at, "cpuacct.usage_sys");
    to.cpu_percpu_ns = parse_list(content(at, "cpuacct.usage_percpu"));
  }
}

void read_throttling(stats& to, const account& at) {
  const auto text = content(at, "cpu.stat");
  to.cpu_periods = field_in(text, "nr_periods");
  to.cpu_throttled_periods = field_in(text, "nr_throttled");
  to.cpu_throttled_ns = at.v2 ? scaled(field_in(text, "throttled_usec"), 1000)
                              : field_in(text, "throttled_time");
}

/// A v1 family of files: `memory.memsw.usage_in_bytes`...
memory_amount v1_amount(const account& at, const std::string& prefix) {
  return {number_in(at, prefix + "usage_in_bytes"),
          number_in(at, prefix + "max_usage_in_bytes"),
          number_in(at, prefix + "limit_in_bytes"),
          number_in(at, prefix + "failcnt")};
}

void read_memory_v1(stats& to, const account& at) {
  to.memory = v1_amount(at, "memory.");
  to.swap = v1_amount(at, "memory.memsw.");
  to.kernel = v1_amount(at, "memory.kmem.");
  to.kernel_tcp = v1_amount(at, "memory.kmem.tcp.");
}

/// v2 counts swap by itself.
void read_memory_v2(stats& to, const account& at, const std::string& stat) {
  to.memory.usage = number_in(at, "memory.current");
  to.memory.max_usage = number_in(at, "memory.peak"); // Linux 5.19
  to.memory.limit = number_in(at, "memory.max");
  to.memory.failcnt = field_in(content(at, "memory.events"), "max");
  to.swap.usage = sum(to.memory.usage, number_in(at, "memory.swap.current"));
  to.swap.limit = sum(to.memory.limit, number_in(at, "memory.swap.max"));
  to.swap.failcnt = field_in(content(at, "memory.swap.events"), "max");
  to.kernel.usage = field_in(stat, "kernel"); // Linux 5.18
  to.kernel_tcp.usage = field_in(stat, "sock");
}

void read_memory(stats& to, const plan::cgroup& in) {
  const auto at = account_of(in, "memory");
  const auto stat = content(at, "memory.stat");
  if (at.v2)
    read_memory_v2(to, at, stat);
  else
    read_memory_v1(to, at);
  to.memory_cache = field_in(stat, at.v2 ? "file" : "total_cache");
  to.memory_stat = parse_named(stat);
  if (to.memory.usage != absent)
    to.oom_kills = read_oom_kills(in).value_or(absent);
}

std::vector<block_io> read_block_io(const account& at) {
  if (at.v2)
    return parse_block_v2(content(at, "io.stat"));
  return parse_block_v1(
    content(at, "blkio.throttle.io_service_bytes_recursive"),
    content(at, "blkio.throttle.io_serviced_recursive"));
}

/// The sizes that have a file "hugetlb.SIZE" + `ending`.
std::vector<std::string> hugepage_sizes(const std::string& directory,
                                        std::string_view ending) {
  constexpr std::string_view prefix = "hugetlb.";
  std::vector<std::string> out;
  const auto files
    = entries(directory, DT_REG).value_or(std::vector<std::string>{});
  for (const auto& file : files) {
    auto name = std::string_view{file};
    if (!name.starts_with(prefix) || !name.ends_with(ending))
      continue;
    name.remove_prefix(prefix.size());
    name.remove_suffix(ending.size());
    if (name.find('.') == name.npos) // not ".rsvd"
      out.emplace_back(name);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<hugepages> read_hugetlb(const account& at) {
  std::vector<hugepages> out;
  if (!at)
    return out;
  const auto* ending = at.v2 ? ".current" : ".usage_in_bytes";
  for (const auto& size : hugepage_sizes(at.directory, ending)) {
    const auto file = "hugetlb." + size + ".";
    if (at.v2)
      out.push_back(
        {size,
         {number_in(at, file + "current"), absent, number_in(at, file + "max"),
          field_in(content(at, file + "events"), "max")}});
    else
      out.push_back({size, v1_amount(at, file)});
  }
  return out;
}

/// The pressure files are v2's; a hybrid host has them for its v2 directory.
void read_pressure(stats& to, const plan::cgroup& in) {
  for (const auto& dir : in.dirs) {
    if (!is_v2(dir))
      continue;
    const account at{directory_of(dir), true};
    to.cpu_pressure = parse_pressure(content(at, "cpu.pressure"));
    to.memory_pressure = parse_pressure(content(at, "memory.pressure"));
    to.io_pressure = parse_pressure(content(at, "io.pressure"));
  }
}

} // namespace

stats read_stats(const plan::cgroup& in) {
  stats out;
  read_cpu(out, account_of(in, "cpuacct"));
  read_throttling(out, account_of(in, "cpu"));
  read_memory(out, in);
  const auto pids = account_of(in, "pids");
  out.pids_current = number_in(pids, "pids.current");
  out.pids_limit = number_in(pids, "pids.max");
  out.block_io = read_block_io(account_of(in, "blkio"));
  out.hugetlb = read_hugetlb(account_of(in, "hugetlb"));
  out.rdma = parse_rdma(content(account_of(in, "rdma"), "rdma.current"));
  read_pressure(out, in);
  return out;
}

} // namespace troupe::cgroup
