#include "runtime/cgroup/limits.hpp"

#include "runtime/cgroup/writes.hpp"

#include <algorithm>
#include <span>

namespace troupe::cgroup {

namespace {

/// -1 is how v1 and the spec say "unlimited"; v2 says "max".
by_version amount(std::int64_t x) {
  return {std::to_string(x), x < 0 ? "max" : std::to_string(x)};
}

by_version amount(std::uint64_t x) {
  return both(std::to_string(x));
}

/// A limit of 0 is an unset one, as in runc: Go's JSON writers put it where
/// nothing was asked for.
template <class Number>
Number set_or_zero(const std::optional<Number>& x) {
  return x.value_or(0);
}

outcome invalid(std::string_view pointer, const std::string& found,
                std::string_view allowed) {
  return fail(fault::invalid_config, "/linux/resources/" + std::string{pointer}
                                       + ": " + found + ": "
                                       + std::string{allowed});
}

// -- memory -------------------------------------------------------------------

/// v2 counts swap alone, the spec (like v1) memory and swap together.
result<by_version> swap_amount(bool v2, const oci::memory_resources& x) {
  const auto total = set_or_zero(x.swap);
  const auto limit = set_or_zero(x.limit);
  if (total > 0 && limit > 0 && total < limit)
    return fail(invalid("memory/swap", std::to_string(total),
                        "must be at least memory/limit")
                  .error());
  if (total > 0 && limit <= 0 && v2)
    return fail(invalid("memory/swap", std::to_string(total),
                        "needs a memory/limit, which it includes")
                  .error());
  return by_version{amount(total).v1,
                    amount(total < 0 ? -1 : total - limit).v2};
}

outcome check_memory(const oci::memory_resources& x) {
  const std::pair<std::string_view, std::int64_t> amounts[] = {
    {"memory/limit", set_or_zero(x.limit)},
    {"memory/reservation", set_or_zero(x.reservation)},
    {"memory/swap", set_or_zero(x.swap)},
    {"memory/kernelTCP", set_or_zero(x.kernel_tcp)},
  };
  for (const auto& [pointer, value] : amounts)
    if (value < -1)
      return invalid(pointer, std::to_string(value),
                     "must be bytes, or -1 for unlimited");
  return {};
}

outcome put_memory_limits(write_list& to, const oci::memory_resources& x) {
  const auto limit = set_or_zero(x.limit);
  const auto at = place_of(to.in(), "memory");
  // v1 refuses a limit below what is in use by itself; v2 would kill for it.
  if (limit > 0 && x.check_before_update.value_or(false) && at && at->v2)
    TROUPE_CHECK(to.put("memory", {"", std::string{usage_check_file}},
                        amount(limit), "memory/checkBeforeUpdate"));
  if (limit != 0)
    TROUPE_CHECK(to.put("memory", {"memory.limit_in_bytes", "memory.max"},
                        amount(limit), "memory/limit"));
  if (set_or_zero(x.swap) != 0) {
    TROUPE_TRY(const auto swap, swap_amount(at && at->v2, x));
    TROUPE_CHECK(to.put("memory",
                        {"memory.memsw.limit_in_bytes", "memory.swap.max"},
                        swap, "memory/swap"));
  }
  if (const auto soft = set_or_zero(x.reservation); soft != 0)
    TROUPE_CHECK(to.put("memory", {"memory.soft_limit_in_bytes", "memory.low"},
                        amount(soft), "memory/reservation"));
  // memory/kernel is accepted and has no effect, as in the kernel since 5.16.
  if (const auto tcp = set_or_zero(x.kernel_tcp); tcp != 0)
    TROUPE_CHECK(to.put("memory", {"memory.kmem.tcp.limit_in_bytes", ""},
                        amount(tcp), "memory/kernelTCP"));
  return {};
}

// -- cpu ----------------------------------------------------------------------

outcome put_cpu_bandwidth(write_list& to, const oci::cpu_resources& x) {
  const auto quota = set_or_zero(x.quota);
  const auto period = set_or_zero(x.period);
  const auto at = place_of(to.in(), "cpu");
  if (at && at->v2) {
    if (quota == 0 && period == 0)
      return {};
    const auto share = quota > 0 ? std::to_string(quota) : "max";
    return to.put("cpu", {"", "cpu.max"},
                  both(share + " " + std::to_string(period ? period : 100000)),
                  quota != 0 ? "cpu/quota" : "cpu/period");
  }
  if (period != 0)
    TROUPE_CHECK(
      to.put("cpu", both("cpu.cfs_period_us"), amount(period), "cpu/period"));
  if (quota != 0)
    TROUPE_CHECK(
      to.put("cpu", both("cpu.cfs_quota_us"), amount(quota), "cpu/quota"));
  return {};
}

outcome put_realtime(write_list& to, const oci::cpu_resources& x) {
  if (const auto period = set_or_zero(x.realtime_period); period != 0)
    TROUPE_CHECK(to.put("cpu", {"cpu.rt_period_us", ""}, amount(period),
                        "cpu/realtimePeriod"));
  if (const auto runtime = set_or_zero(x.realtime_runtime); runtime != 0)
    TROUPE_CHECK(to.put("cpu", {"cpu.rt_runtime_us", ""}, amount(runtime),
                        "cpu/realtimeRuntime"));
  return {};
}

/// An idle group has the least weight, and the kernel refuses to give it
/// another.
outcome put_cpu_weight(write_list& to, const oci::cpu_resources& x) {
  if (x.idle)
    TROUPE_CHECK(to.put("cpu", both("cpu.idle"), amount(*x.idle), "cpu/idle"));
  const auto shares = set_or_zero(x.shares);
  if (shares == 0 || x.idle == 1)
    return {};
  return to.put(
    "cpu", {"cpu.shares", "cpu.weight"},
    {std::to_string(shares), std::to_string(weight_of_shares(shares))},
    "cpu/shares");
}

// -- block devices ------------------------------------------------------------

/// blkio's 10..1000 as io.weight's 1..10000.
std::uint64_t io_weight(std::uint64_t x) {
  return 1 + (std::clamp<std::uint64_t>(x, 10, 1000) - 10) * 9999 / 990;
}

/// The scheduler decides whose weight file exists: BFQ's own, or the core's.
outcome put_io_weight(write_list& to, const std::string& device,
                      std::uint64_t x, const by_version& file,
                      std::string_view pointer) {
  const auto plain = device + std::to_string(x);
  return to.put(
    "blkio", file,
    {plain + "|" + plain, plain + "|" + device + std::to_string(io_weight(x))},
    pointer);
}

std::string device_prefix(std::int64_t major, std::int64_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor) + " ";
}

outcome put_weights(write_list& to, const oci::block_io_resources& x) {
  if (const auto weight = set_or_zero(x.weight); weight != 0)
    TROUPE_CHECK(put_io_weight(
      to, "", weight,
      {"blkio.weight|blkio.bfq.weight", "io.bfq.weight|io.weight"},
      "blockIO/weight"));
  if (const auto weight = set_or_zero(x.leaf_weight); weight != 0)
    TROUPE_CHECK(to.put("blkio", {"blkio.leaf_weight", ""},
                        amount(std::uint64_t{weight}), "blockIO/leafWeight"));
  for (auto i = std::size_t{0}; i < x.weight_device.size(); ++i) {
    const auto& each = x.weight_device[i];
    const auto device = device_prefix(each.major, each.minor);
    const auto pointer = "blockIO/weightDevice/" + std::to_string(i);
    if (const auto weight = set_or_zero(each.weight); weight != 0)
      TROUPE_CHECK(put_io_weight(to, device, weight,
                                 {"blkio.weight_device|blkio.bfq.weight_device",
                                  "io.bfq.weight|io.weight"},
                                 pointer + "/weight"));
    if (const auto weight = set_or_zero(each.leaf_weight); weight != 0)
      TROUPE_CHECK(to.put("blkio", {"blkio.leaf_weight_device", ""},
                          both(device + std::to_string(weight)),
                          pointer + "/leafWeight"));
  }
  return {};
}

struct throttle_row {
  std::vector<oci::throttle_device> oci::block_io_resources::*rates;
  std::string_view name;
  const char* v1_file;
  const char* v2_key;
};

constexpr throttle_row throttles[] = {
  {&oci::block_io_resources::throttle_read_bps, "throttleReadBpsDevice",
   "blkio.throttle.read_bps_device", "rbps="},
  {&oci::block_io_resources::throttle_write_bps, "throttleWriteBpsDevice",
   "blkio.throttle.write_bps_device", "wbps="},
  {&oci::block_io_resources::throttle_read_iops, "throttleReadIOPSDevice",
   "blkio.throttle.read_iops_device", "riops="},
  {&oci::block_io_resources::throttle_write_iops, "throttleWriteIOPSDevice",
   "blkio.throttle.write_iops_device", "wiops="},
};

outcome put_throttle(write_list& to, const throttle_row& row,
                     const std::vector<oci::throttle_device>& rates) {
  for (auto i = std::size_t{0}; i < rates.size(); ++i) {
    const auto& each = rates[i];
    const auto device = device_prefix(each.major, each.minor);
    const auto rate = std::to_string(each.rate);
    const auto v2_rate = each.rate == 0 ? "max" : rate; // v1: 0 lifts the limit
    TROUPE_CHECK(
      to.put("blkio", {row.v1_file, "io.max"},
             {device + rate, device + row.v2_key + v2_rate},
             "blockIO/" + std::string{row.name} + "/" + std::to_string(i)));
  }
  return {};
}

} // namespace

std::uint64_t weight_of_shares(std::uint64_t shares) noexcept {
  const auto x = std::clamp<std::uint64_t>(shares, 2, 262144);
  return 1 + (x - 2) * 9999 / 262142;
}

outcome put_memory(write_list& to, const oci::memory_resources& x) {
  TROUPE_CHECK(check_memory(x));
  TROUPE_CHECK(put_memory_limits(to, x));
  // -1, unsigned here, is how docker used to write "unset".
  if (x.swappiness && *x.swappiness != ~std::uint64_t{0}) {
    if (*x.swappiness > 100)
      return invalid("memory/swappiness", std::to_string(*x.swappiness),
                     "must be 0..100");
    TROUPE_CHECK(to.put("memory", {"memory.swappiness", ""},
                        amount(*x.swappiness), "memory/swappiness"));
  }
  if (x.disable_oom_killer.value_or(false))
    TROUPE_CHECK(to.put("memory", {"memory.oom_control", ""}, {"1", "true"},
                        "memory/disableOOMKiller"));
  return {};
}

outcome put_cpu(write_list& to, const oci::cpu_resources& x) {
  const auto quota = set_or_zero(x.quota);
  const auto burst = set_or_zero(x.burst);
  if (quota > 0 && burst > static_cast<std::uint64_t>(quota))
    return invalid("cpu/burst", std::to_string(burst),
                   "must not be above cpu/quota");
  TROUPE_CHECK(put_cpu_weight(to, x));
  TROUPE_CHECK(put_cpu_bandwidth(to, x));
  if (x.burst)
    TROUPE_CHECK(to.put("cpu", {"cpu.cfs_burst_us", "cpu.max.burst"},
                        amount(burst), "cpu/burst"));
  TROUPE_CHECK(put_realtime(to, x));
  if (!x.cpus.empty())
    TROUPE_CHECK(
      to.put("cpuset", both("cpuset.cpus"), both(x.cpus), "cpu/cpus"));
  if (!x.mems.empty())
    TROUPE_CHECK(
      to.put("cpuset", both("cpuset.mems"), both(x.mems), "cpu/mems"));
  return {};
}

outcome put_pids(write_list& to, std::int64_t limit) {
  const auto text = limit > 0 ? std::to_string(limit) : "max";
  return to.put("pids", both("pids.max"), both(text), "pids/limit");
}

outcome put_block_io(write_list& to, const oci::block_io_resources& x) {
  TROUPE_CHECK(put_weights(to, x));
  for (const auto& row : throttles)
    TROUPE_CHECK(put_throttle(to, row, x.*row.rates));
  return {};
}

} // namespace troupe::cgroup
