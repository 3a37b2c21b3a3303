#include "runtime/oci/events.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/net_counters.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <sys/epoll.h>

namespace troupe::oci_runtime {

namespace {

using nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

/// runc writes "no limit" as the largest number of 64 bits.
ordered_json limit_of(std::int64_t x) {
  if (x == std::numeric_limits<std::int64_t>::max())
    return std::numeric_limits<std::uint64_t>::max();
  return x;
}

void put(ordered_json& to, const char* name, std::int64_t value) {
  if (value >= 0)
    to[name] = limit_of(value);
}

ordered_json cpu(const cgroup::stats& x) {
  ordered_json usage = ordered_json::object();
  put(usage, "total", x.cpu_usage_ns);
  for (const auto each : x.cpu_percpu_ns)
    usage["percpu"].push_back(each);
  put(usage, "kernel", x.cpu_system_ns);
  put(usage, "user", x.cpu_user_ns);
  ordered_json throttling = ordered_json::object();
  put(throttling, "periods", x.cpu_periods);
  put(throttling, "throttledPeriods", x.cpu_throttled_periods);
  put(throttling, "throttledTime", x.cpu_throttled_ns);
  return {{"usage", std::move(usage)}, {"throttling", std::move(throttling)}};
}

ordered_json amount(const cgroup::memory_amount& x) {
  ordered_json out = ordered_json::object();
  put(out, "limit", x.limit);
  put(out, "usage", x.usage);
  put(out, "max", x.max_usage);
  put(out, "failcnt", x.failcnt);
  return out;
}

ordered_json memory(const cgroup::stats& x) {
  ordered_json out = ordered_json::object();
  put(out, "cache", x.memory_cache);
  out["usage"] = amount(x.memory);
  out["swap"] = amount(x.swap);
  out["kernel"] = amount(x.kernel);
  out["kernelTCP"] = amount(x.kernel_tcp);
  auto& raw = out["raw"] = ordered_json::object();
  for (const auto& line : x.memory_stat)
    put(raw, line.name.c_str(), line.value);
  return out;
}

void add_block(ordered_json& to, const cgroup::block_io& of, const char* op,
               std::int64_t value) {
  to.push_back(
    {{"major", of.major}, {"minor", of.minor}, {"op", op}, {"value", value}});
}

ordered_json block_io(const cgroup::stats& x) {
  auto bytes = ordered_json::array();
  auto count = ordered_json::array();
  for (const auto& each : x.block_io) {
    add_block(bytes, each, "Read", each.read_bytes);
    add_block(bytes, each, "Write", each.write_bytes);
    add_block(bytes, each, "Discard", each.discard_bytes);
    add_block(count, each, "Read", each.read_ios);
    add_block(count, each, "Write", each.write_ios);
    add_block(count, each, "Discard", each.discard_ios);
  }
  ordered_json out = ordered_json::object();
  if (!bytes.empty())
    out["ioServiceBytesRecursive"] = std::move(bytes);
  if (!count.empty())
    out["ioServicedRecursive"] = std::move(count);
  return out;
}

ordered_json huge_pages(const cgroup::stats& x) {
  ordered_json out = ordered_json::object();
  for (const auto& each : x.hugetlb)
    out[each.size] = amount(each.amount);
  return out;
}

/// null, as runc has it, where there is none but the loopback.
ordered_json network(const container& of) {
  ordered_json out;
  if (!has_own_network(of.plan.namespaces))
    return out;
  const auto all = sys::read_net_counters(of.state.pid)
                     .value_or(std::vector<sys::net_counters>{});
  for (const auto& each : all)
    if (each.name != "lo")
      out.push_back({{"Name", each.name},
                     {"RxBytes", each.rx_bytes},
                     {"RxPackets", each.rx_packets},
                     {"RxErrors", each.rx_errors},
                     {"RxDropped", each.rx_dropped},
                     {"TxBytes", each.tx_bytes},
                     {"TxPackets", each.tx_packets},
                     {"TxErrors", each.tx_errors},
                     {"TxDropped", each.tx_dropped}});
  return out;
}

std::string event(const std::string& type, const std::string& id,
                  const ordered_json& data) {
  ordered_json out{{"type", type}, {"id", id}};
  if (!data.is_null())
    out["data"] = data;
  return out.dump() + '\n';
}

} // namespace

result<std::string> stats_event(const container& x) {
  if (!x.is_alive())
    return fail(fault::wrong_state,
                "container with id " + x.state.id + " is not running");
  TROUPE_TRY(const auto stats, cgroup::open_control(x.plan.cgroup)->read());
  ordered_json pids = ordered_json::object();
  put(pids, "current", stats.pids_current);
  if (stats.pids_limit != std::numeric_limits<std::int64_t>::max())
    put(pids, "limit", stats.pids_limit);
  return event("stats", x.state.id,
               {{"cpu", cpu(stats)},
                {"memory", memory(stats)},
                {"pids", std::move(pids)},
                {"blkio", block_io(stats)},
                {"hugetlb", huge_pages(stats)},
                {"intel_rdt", ordered_json::object()},
                {"network_interfaces", network(x)}});
}

outcome watch_events(const container& x, std::chrono::milliseconds interval,
                     const std::function<void(std::string)>& tell) {
  const auto control = cgroup::open_control(x.plan.cgroup);
  TROUPE_TRY(const auto oom, control->watch_oom());
  TROUPE_TRY(auto kills, control->oom_kills());
  auto next = clock::now() + interval;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      next - clock::now());
    auto waiting = std::array{
      pollfd{x.init.get(), POLLIN, 0},
      pollfd{oom.fd.get(), static_cast<short>(oom.epoll_events), 0}};
    const auto ready = ::poll(
      waiting.data(), waiting.size(),
      static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno != EINTR)
      return fail_os(errno, "poll", "");
    if (waiting[1].revents != 0)
      cgroup::rearm(oom);
    // Read, not inferred from the notice: that comes for other cgroups too.
    if (const auto now = control->oom_kills(); now && *now > kills) {
      kills = *now;
      tell(event("oom", x.state.id, nullptr));
    }
    if (waiting[0].revents != 0)
      return {};
    if (ready == 0) {
      TROUPE_TRY(auto stats, stats_event(x));
      tell(std::move(stats));
      next += interval;
    }
  }
}

} // namespace troupe::oci_runtime
