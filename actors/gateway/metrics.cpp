#include "actors/gateway/render.hpp"

#include <array>
#include <string_view>

namespace troupe::gateway {

namespace {

/// One metric of every container, named as cAdvisor names it, so that what
/// reads cAdvisor's reads ours.
struct metric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::int64_t cgroup::usage::*from;
  double scale = 1;
};

constexpr std::array metrics{
  metric{"container_cpu_usage_seconds_total", "counter",
         "CPU time used, in seconds.", &cgroup::usage::cpu_ns, 1e-9},
  metric{"container_memory_usage_bytes", "gauge",
         "Memory in use, page cache included.", &cgroup::usage::memory},
  metric{"container_memory_working_set_bytes", "gauge",
         "Memory in use without inactive page cache.",
         &cgroup::usage::working_set},
  metric{"container_spec_memory_limit_bytes", "gauge",
         "Memory limit; absent: none.", &cgroup::usage::memory_limit},
  metric{"container_memory_failcnt", "counter",
         "How often the memory limit was hit.", &cgroup::usage::memory_failcnt},
  metric{"container_oom_events_total", "counter",
         "Processes that the kernel killed for want of memory.",
         &cgroup::usage::oom_kills},
  metric{"container_processes", "gauge", "Processes.", &cgroup::usage::pids},
  metric{"container_blkio_read_bytes_total", "counter",
         "Bytes read from block devices.", &cgroup::usage::read_bytes},
  metric{"container_blkio_written_bytes_total", "counter",
         "Bytes written to block devices.", &cgroup::usage::write_bytes},
  metric{"container_network_receive_bytes_total", "counter",
         "Bytes received, loopback excluded.", &cgroup::usage::rx_bytes},
  metric{"container_network_transmit_bytes_total", "counter",
         "Bytes sent, loopback excluded.", &cgroup::usage::tx_bytes},
};

void add_head(std::string& to, std::string_view name, std::string_view type,
              std::string_view help) {
  to.append("# HELP ").append(name).append(" ").append(help).append("\n");
  to.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

std::string text_of(std::int64_t value, double scale) {
  if (scale == 1)
    return std::to_string(value);
  return std::to_string(static_cast<double>(value) * scale);
}

/// Ids need no escaping: container_id.hpp allows neither quotes nor
/// backslashes.
void add_metric(std::string& to, const metric& of,
                const msg::usage_table& from) {
  add_head(to, of.name, of.type, of.help);
  for (const auto& row : from.rows) {
    const auto value = row.used.*of.from;
    if (value < 0 || value == cgroup::no_limit)
      continue;
    to.append(of.name).append("{id=\"").append(row.id).append("\"} ");
    to.append(text_of(value, of.scale)).append("\n");
  }
}

void add_statuses(std::string& to, const msg::snapshots& all) {
  constexpr std::string_view name = "troupe_containers";
  std::array<std::int64_t, lifecycle::status_count> counts{};
  for (const auto& each : all.all)
    ++counts[static_cast<std::size_t>(each->status)];
  add_head(to, name, "gauge", "Containers by status.");
  for (std::size_t i = 0; i < counts.size(); ++i)
    to.append(name)
      .append("{status=\"")
      .append(lifecycle::to_string(static_cast<lifecycle::status>(i)))
      .append("\"} ")
      .append(std::to_string(counts[i]))
      .append("\n");
}

} // namespace

std::string render_metrics(const msg::usage_table& x,
                           const msg::snapshots& all) {
  std::string out;
  add_statuses(out, all);
  for (const auto& each : metrics)
    add_metric(out, each, x);
  add_head(out, "machine_cpu_cores", "gauge", "CPUs that are online.");
  out.append("machine_cpu_cores ")
    .append(std::to_string(x.host.online))
    .append("\n");
  return out;
}

} // namespace troupe::gateway
