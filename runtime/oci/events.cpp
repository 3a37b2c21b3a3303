#include "runtime/oci/events.hpp"

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/counters.hpp"
#include "runtime/linux/file.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <poll.h>
#include <sys/epoll.h>

namespace troupe::oci_runtime {

namespace {

using nlohmann::ordered_json;
using clock = std::chrono::steady_clock;

std::string content(const cgroup::account& at, const char* file) {
  return at ? sys::read_file(AT_FDCWD, at.directory + "/" + file).value_or("")
            : std::string{};
}

/// v1's unlimited is a number of its own, and v2's a word: here both are the
/// largest.
ordered_json number(std::string_view text) {
  std::uint64_t value = 0;
  if (text.starts_with("max"))
    return std::numeric_limits<std::uint64_t>::max();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void put(ordered_json& to, const char* name, std::int64_t value) {
  if (value >= 0)
    to[name] = value;
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    out.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(out.back().size() + 1, text.size()));
  }
  return out;
}

ordered_json cpu(const cgroup::counters& x, const plan::cgroup& in) {
  ordered_json usage = ordered_json::object();
  put(usage, "total", x.cpu_usage_ns);
  const auto each = content(cgroup::account_of(in, "cpuacct"),
                            "cpuacct.usage_percpu");
  for (auto rest = std::string_view{each}; rest.find(' ') != rest.npos;
       rest.remove_prefix(rest.find(' ') + 1))
    usage["percpu"].push_back(number(rest));
  put(usage, "kernel", x.cpu_system_ns);
  put(usage, "user", x.cpu_user_ns);
  ordered_json throttling = ordered_json::object();
  put(throttling, "periods", x.cpu_periods);
  put(throttling, "throttledPeriods", x.cpu_throttled_periods);
  put(throttling, "throttledTime", x.cpu_throttled_ns);
  return {{"usage", std::move(usage)}, {"throttling", std::move(throttling)}};
}

ordered_json raw_memory(const cgroup::account& at) {
  ordered_json out = ordered_json::object();
  const auto text = content(at, "memory.stat");
  for (const auto line : lines(text))
    if (const auto blank = line.find(' '); blank != line.npos)
      out[std::string{line.substr(0, blank)}] = number(line.substr(blank + 1));
  return out;
}

/// A v1 family of files: `memory.memsw.usage_in_bytes`...
ordered_json v1_usage(const cgroup::account& at, const std::string& prefix) {
  const auto file = [&](const char* name) {
    return number(content(at, (prefix + name).c_str()));
  };
  return {{"limit", file("limit_in_bytes")},
          {"usage", file("usage_in_bytes")},
          {"max", file("max_usage_in_bytes")},
          {"failcnt", file("failcnt")}};
}

ordered_json memory(const cgroup::counters& x, const plan::cgroup& in) {
  const auto at = cgroup::account_of(in, "memory");
  ordered_json usage = ordered_json::object();
  put(usage, "limit", x.memory_limit);
  put(usage, "usage", x.memory_usage);
  put(usage, "max", x.memory_max_usage);
  put(usage, "failcnt", x.memory_failcnt);
  ordered_json out = ordered_json::object();
  put(out, "cache", x.memory_cache);
  out["usage"] = std::move(usage);
  if (at && !at.v2) {
    out["swap"] = v1_usage(at, "memory.memsw.");
    out["kernel"] = v1_usage(at, "memory.kmem.");
  } else if (at) {
    out["swap"] = {{"limit", number(content(at, "memory.swap.max"))},
                   {"usage", number(content(at, "memory.swap.current"))}};
  }
  out["raw"] = raw_memory(at);
  return out;
}

/// `8:0 Read 4096`
ordered_json block_lines(const std::string& text) {
  auto out = ordered_json::array();
  for (const auto line : lines(text)) {
    const auto colon = line.find(':');
    const auto first = line.find(' ');
    const auto second = line.rfind(' ');
    if (colon == line.npos || first == line.npos || second == first)
      continue;
    out.push_back({{"major", number(line)},
                   {"minor", number(line.substr(colon + 1))},
                   {"op", line.substr(first + 1, second - first - 1)},
                   {"value", number(line.substr(second + 1))}});
  }
  return out;
}

ordered_json block_io(const plan::cgroup& in) {
  const auto at = cgroup::account_of(in, "blkio");
  ordered_json out = ordered_json::object();
  if (!at || at.v2)
    return out;
  auto bytes = block_lines(content(at, "blkio.throttle.io_service_bytes"));
  auto count = block_lines(content(at, "blkio.throttle.io_serviced"));
  if (!bytes.empty())
    out["ioServiceBytesRecursive"] = std::move(bytes);
  if (!count.empty())
    out["ioServicedRecursive"] = std::move(count);
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
  const auto& in = x.plan.cgroup;
  TROUPE_TRY(const auto counters, cgroup::open_control(in)->read());
  ordered_json pids = ordered_json::object();
  put(pids, "current", counters.pids_current);
  if (counters.pids_limit != std::numeric_limits<std::int64_t>::max())
    put(pids, "limit", counters.pids_limit);
  return event("stats", x.state.id,
               {{"cpu", cpu(counters, in)},
                {"memory", memory(counters, in)},
                {"pids", std::move(pids)},
                {"blkio", block_io(in)},
                {"hugetlb", ordered_json::object()},
                {"intel_rdt", ordered_json::object()},
                {"network_interfaces", nullptr}});
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
