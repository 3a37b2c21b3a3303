#include "actors/gateway/render.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <string>

namespace troupe::gateway {

namespace {

using nlohmann::json;

/// -1: the host has no such counter. INT64_MAX: no limit, which a double (as
/// most readers of JSON have it) could not even hold.
json counter(std::int64_t x) {
  return x < 0 || x == std::numeric_limits<std::int64_t>::max() ? json{}
                                                                : json(x);
}

void add_amount(json& to, const std::string& name,
                const cgroup::memory_amount& x) {
  to[name + "_usage"] = counter(x.usage);
  to[name + "_max_usage"] = counter(x.max_usage);
  to[name + "_limit"] = counter(x.limit);
  to[name + "_failcnt"] = counter(x.failcnt);
}

void add_cpu(json& to, const cgroup::stats& x) {
  to["cpu_usage_ns"] = counter(x.cpu_usage_ns);
  to["cpu_user_ns"] = counter(x.cpu_user_ns);
  to["cpu_system_ns"] = counter(x.cpu_system_ns);
  to["cpu_percpu_ns"] = x.cpu_percpu_ns;
  to["cpu_periods"] = counter(x.cpu_periods);
  to["cpu_throttled_periods"] = counter(x.cpu_throttled_periods);
  to["cpu_throttled_ns"] = counter(x.cpu_throttled_ns);
}

void add_memory(json& to, const cgroup::stats& x) {
  add_amount(to, "memory", x.memory);
  add_amount(to, "memory_swap", x.swap);
  add_amount(to, "memory_kernel", x.kernel);
  add_amount(to, "memory_kernel_tcp", x.kernel_tcp);
  to["memory_cache"] = counter(x.memory_cache);
  auto& lines = to["memory_stat"] = json::object();
  for (const auto& each : x.memory_stat)
    lines[each.name] = counter(each.value);
  to["oom_kills"] = counter(x.oom_kills);
}

json block_io(const std::vector<cgroup::block_io>& xs) {
  auto out = json::array();
  for (const auto& x : xs)
    out.push_back({{"major", x.major},
                   {"minor", x.minor},
                   {"read_bytes", x.read_bytes},
                   {"write_bytes", x.write_bytes},
                   {"discard_bytes", x.discard_bytes},
                   {"read_ios", x.read_ios},
                   {"write_ios", x.write_ios},
                   {"discard_ios", x.discard_ios}});
  return out;
}

json huge_pages(const std::vector<cgroup::hugepages>& xs) {
  auto out = json::object();
  for (const auto& x : xs)
    out[x.size] = {{"usage", counter(x.amount.usage)},
                   {"max_usage", counter(x.amount.max_usage)},
                   {"limit", counter(x.amount.limit)},
                   {"failcnt", counter(x.amount.failcnt)}};
  return out;
}

json rdma(const std::vector<cgroup::rdma_device>& xs) {
  auto out = json::object();
  for (const auto& x : xs)
    out[x.name] = {{"hca_handle", counter(x.handles)},
                   {"hca_object", counter(x.objects)}};
  return out;
}

json network(const std::vector<sys::net_counters>& xs) {
  auto out = json::object();
  for (const auto& x : xs)
    out[x.name] = {{"rx_bytes", x.rx_bytes},   {"rx_packets", x.rx_packets},
                   {"rx_errors", x.rx_errors}, {"rx_dropped", x.rx_dropped},
                   {"tx_bytes", x.tx_bytes},   {"tx_packets", x.tx_packets},
                   {"tx_errors", x.tx_errors}, {"tx_dropped", x.tx_dropped}};
  return out;
}

json stall(const cgroup::stall& x) {
  return {{"avg10", x.avg10},
          {"avg60", x.avg60},
          {"avg300", x.avg300},
          {"total_us", x.total_us}};
}

/// null: the host has no such file.
json pressure(const cgroup::pressure& x) {
  json out;
  if (x.some.total_us >= 0)
    out["some"] = stall(x.some);
  if (x.full.total_us >= 0)
    out["full"] = stall(x.full);
  return out;
}

json row(const msg::usage_row& x) {
  const auto& used = x.used;
  return {
    {"id", x.id},
    {"status", lifecycle::to_string(x.status)},
    {"cpu_percent", x.cpu_percent < 0 ? json{} : json(x.cpu_percent)},
    {"cpu_usage_ns", counter(used.cpu_ns)},
    {"memory_usage", counter(used.memory)},
    {"memory_working_set", counter(used.working_set)},
    {"memory_limit", counter(used.memory_limit)},
    {"memory_failcnt", counter(used.memory_failcnt)},
    {"oom_kills", counter(used.oom_kills)},
    {"pids_current", counter(used.pids)},
    {"pids_limit", counter(used.pids_limit)},
    {"block_read_bytes", counter(used.read_bytes)},
    {"block_write_bytes", counter(used.write_bytes)},
    {"network_rx_bytes", counter(used.rx_bytes)},
    {"network_tx_bytes", counter(used.tx_bytes)},
  };
}

} // namespace

std::string render(const msg::usage_table& x) {
  auto containers = json::array();
  for (const auto& each : x.rows)
    containers.push_back(row(each));
  return dump({{"read", rfc3339(x.read)},
               {"took_ns", x.took},
               {"system_usage_ns", counter(x.host.usage_ns)},
               {"online_cpus", x.host.online},
               {"containers", std::move(containers)}});
}

std::string render(const msg::stats& x) {
  json out{{"id", x.id}, {"read", rfc3339(x.read)}};
  const auto& used = x.used;
  add_cpu(out, used);
  add_memory(out, used);
  out["pids_current"] = counter(used.pids_current);
  out["pids_limit"] = counter(used.pids_limit);
  out["block_io"] = block_io(used.block_io);
  out["hugetlb"] = huge_pages(used.hugetlb);
  out["rdma"] = rdma(used.rdma);
  out["network"] = network(x.network);
  out["output"] = counters(x.output);
  out["pressure"] = {{"cpu", pressure(used.cpu_pressure)},
                     {"memory", pressure(used.memory_pressure)},
                     {"io", pressure(used.io_pressure)}};
  out["system_usage_ns"] = counter(x.host.usage_ns);
  out["online_cpus"] = x.host.online;
  return dump(out);
}

} // namespace troupe::gateway
